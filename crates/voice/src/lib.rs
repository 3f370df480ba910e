//! The voice channel: sessions, turn-taking, interruption, speaking.
