//! The command line as it reads: each file of tests/cmd is a session with what it prints.
//!
//! `TRYCMD=overwrite cargo test --test it golden` writes down what is printed now; read the diff.

#[test]
fn sessions_read_as_written_down() {
    // No server is known there.
    let nowhere = std::env::temp_dir().join("parlour-golden-none");
    trycmd::TestCases::new()
        .env("XDG_CONFIG_HOME", nowhere.to_string_lossy())
        .env("PARLOUR_DISCOVERY", "off")
        .case("tests/cmd/*.trycmd");
}
