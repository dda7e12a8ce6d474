//! The command line as it reads: each file of tests/cmd is a session with what it prints.
//!
//! `TRYCMD=overwrite cargo test --test it golden` writes down what is printed now; read the diff.

#[test]
fn sessions_read_as_written_down() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}
