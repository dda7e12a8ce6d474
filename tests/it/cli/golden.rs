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
    // A pattern that matches nothing passes.
    let sessions =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd")).expect("the sessions");
    let names = sessions.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    assert!(names.filter(|name| name.ends_with(".trycmd")).count() > 5);
}
