//! Tests of several modules together.

mod costs;
mod rebuilt;
