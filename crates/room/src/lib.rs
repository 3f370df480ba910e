//! The room engine: model, inbound pipeline, permissions, hooks, delivery lanes.
