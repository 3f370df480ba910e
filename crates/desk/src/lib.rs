//! Who answers: understanding, dialogue, wording and tools of a desk.
