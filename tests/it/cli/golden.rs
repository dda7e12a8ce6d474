//! Golden files of the command line: each file of tests/cmd is a session with its output.
//!
//! `TRYCMD=overwrite cargo test --test it golden` writes the present output into them; read the diff.

#[test]
fn command_line_output_matches_golden_files() {
    // A folder without known servers.
    let nowhere = std::env::temp_dir().join("parlour-golden-none");
    trycmd::TestCases::new()
        .env("XDG_CONFIG_HOME", nowhere.to_string_lossy())
        .env("PARLOUR_DISCOVERY", "off")
        .case("tests/cmd/*.trycmd");
}
