//! Softphone, simulation, load: the product's own test bench.
