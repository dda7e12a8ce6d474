//! Tests of several modules together.

mod rebuilt;
