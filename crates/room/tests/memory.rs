//! The in-memory store keeps every promise of a store (RE-020).

use std::sync::Arc;

#[tokio::test]
async fn the_memory_store_conforms_re_020_re_021() {
    roomtone_room::conformance::check(Arc::new(roomtone_room::MemoryStore::new())).await;
}
