//! The SIP and RTP gateway: signalling, offer and answer, the media thread.
