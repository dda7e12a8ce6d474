//! No argument of the command line is quoted, whichever subcommand it was given to.

use std::process::Output;

use crate::support::Home;

const MARKER: &str = "S3cretS3cretS3cretS3cg";

/// A password. It cannot be the name of an account or a host: those are not secret, and errors may repeat them.
const SECRET_PARTS: &str = "S3cret+S3cret/S3cret!";

/// Samples of values that required arguments accept.
fn sample_value(id: &str) -> &'static str {
    match id {
        "link" => "parlour://127.0.0.1/?pin=x&token=y",
        "target" | "targets" | "channel" => "#lobby",
        "role" => "member",
        "preference" => "bot",
        "file" => "people",
        _ => "alice",
    }
}

/// Command lines with the marker in each argument of each subcommand.
fn command_lines(command: &clap::Command, path: &[String], secret: &str, lines: &mut Vec<Vec<String>>) {
    for below in command.get_subcommands() {
        self::command_lines(below, &[path, &[below.get_name().to_owned()]].concat(), secret, lines);
    }
    if command.has_subcommands() {
        lines.push([path, &[secret.to_owned()]].concat());
        return;
    }
    let arguments: Vec<&clap::Arg> = command.get_arguments().collect();
    for with in &arguments {
        // Files and folders are named in errors, because their errors cannot be understood otherwise.
        let names: Vec<String> =
            with.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
        let is_path = names.iter().any(|name| ["DIR", "FILE"].contains(&name.as_str()));
        if is_path && secret == SECRET_PARTS {
            continue;
        }
        let mut line = path.to_vec();
        for argument in &arguments {
            let is_it = argument.get_id() == with.get_id();
            let value = if is_it { secret } else { sample_value(argument.get_id().as_str()) };
            match argument.get_long() {
                Some(long) if is_it || argument.is_required_set() => line.push(format!("--{long}={value}")),
                None if is_it || argument.is_required_set() => line.push(value.to_owned()),
                _ => {}
            }
        }
        lines.push(line);
    }
    lines.push([path, &[secret.to_owned(), secret.to_owned(), secret.to_owned()]].concat());
}

fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn subcommands_never_quote_possible_secrets() {
    let home = Home::new(&[]);
    let secrets = [
        format!("parlour://127.0.0.1:1/?pin=x&token={MARKER}"),
        format!("parlour://127.0.0.1:1/?token={MARKER}"),
        SECRET_PARTS.to_owned(),
    ];
    let mut tried = 0;
    for secret in secrets {
        let mut all = Vec::new();
        command_lines(&parlour::cli::tree(), &[], &secret, &mut all);
        for line in all {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            let output = home.run(&words);
            let text = output_text(&output);
            assert!(!text.contains("S3cret"), "{line:?}: {text}");
            assert!(!output.status.success(), "{line:?}: {text}");
            tried += 1;
        }
    }
    assert!(tried > 300, "only {tried} command lines were tried");
}

#[test]
fn misplaced_link_is_reported_as_such() {
    let home = Home::new(&[]);
    let link = format!("parlour://127.0.0.1:1/?token={MARKER}");
    for line in [
        &["send", &link, "hi"][..],
        &["tail", &link],
        &["history", &link],
        &["search", "x", "--in", &link],
        &["certs", "generate", "--name", &link],
        &["serve", "--data", &link],
        &["who", &link],
    ] {
        let output = home.run(line);
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(
            output_text(&output).contains("there is an invite link"),
            "{line:?}: {}",
            output_text(&output)
        );
    }
    assert!(!home.path(&link).exists());
}
