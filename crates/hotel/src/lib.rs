//! The hotel trade: its store and the receptionist's tools.
