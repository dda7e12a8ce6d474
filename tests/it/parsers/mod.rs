//! Parsers against committed inputs: fuzz corpora and third-party test vectors.

mod fuzz;
mod vectors;
