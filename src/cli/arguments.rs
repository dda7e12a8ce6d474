//! Errors of the command line, without the values that were given.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use zeroize::Zeroizing;

use super::Cli;
use super::output::{self, note};
use crate::trust::InviteLink;

/// Arguments that may hold an invite link: the one that is opened, and texts that are sent or searched for. No error
/// quotes them.
const MAY_HOLD_LINKS: [(&str, &str); 3] = [("join", "link"), ("send", "text"), ("search", "words")];

/// Limit of a name that an error may repeat, in bytes.
const MAX_NAME_BYTES: usize = 24;

/// Parses the command line of this process. An invite link in any argument that is not for one is refused here, because
/// what would be done with it later (a name looked up, a folder made) may show or keep its token.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(&arguments).map_err(|error| {
        if is_about_misplaced_link(&error) { misplaced_link_error(&mut command, None) } else { error }
    })?;
    if let Some(argument) = argument_with_link(&matches, "") {
        return Err(misplaced_link_error(&mut command, Some(&argument)));
    }
    Cli::from_arg_matches(&matches)
}

/// Returns whether clap refused a value because it is an invite link. A damaged one where a link belongs has an error of
/// its own.
fn is_about_misplaced_link(error: &clap::Error) -> bool {
    let has_link =
        |kind| matches!(error.get(kind), Some(ContextValue::String(value)) if is_link(OsStr::new(value)));
    let where_it_belongs =
        matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(name)) if name == "[LINK]");
    !where_it_belongs
        && [ContextKind::InvalidValue, ContextKind::InvalidSubcommand, ContextKind::InvalidArg]
            .into_iter()
            .any(has_link)
}

/// Returns the error for an invite link in the wrong place.
fn misplaced_link_error(command: &mut clap::Command, argument: Option<&str>) -> clap::Error {
    let location = argument.map_or(String::new(), |name| format!(" in place of `{name}`"));
    let text = format!(
        "there is an invite link{location}, and links are opened with `parlour join LINK` alone; nothing was done with it"
    );
    command.error(ErrorKind::ValueValidation, text)
}

/// Returns the id of the first argument that holds an invite link and is not for one.
fn argument_with_link(matches: &ArgMatches, command: &str) -> Option<String> {
    for id in matches.ids() {
        let mut values = matches.try_get_raw(id.as_str()).ok().flatten().into_iter().flatten();
        if !MAY_HOLD_LINKS.contains(&(command, id.as_str())) && values.any(is_link) {
            return Some(id.to_string());
        }
    }
    matches.subcommand().and_then(|(name, matches)| argument_with_link(matches, name))
}

/// Returns whether a value is an invite link or a piece of one. A token alone looks like other words.
fn is_link(value: &OsStr) -> bool {
    let text = Zeroizing::new(value.to_string_lossy().to_lowercase());
    [InviteLink::SCHEME_PREFIX, "token=", "token%3d"].iter().any(|part| text.contains(part))
}

/// Prints the error or the requested help, and returns the exit code.
///
/// clap quotes invalid values. Those may be a damaged or misplaced invite link, a token or a password, and the output
/// is kept: by terminals, in the logs of scripts, in requests for help. So an error names the argument and nothing of
/// its value.
pub fn print_error(mut error: clap::Error) -> ExitCode {
    hide_values(&mut error);
    let code = u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
    if error.use_stderr() {
        // The reader is gone, so only the exit code can tell.
        let _ = error.print();
        return code;
    }
    match output::ignore_broken_pipe(error.print()) {
        Ok(_) => code,
        Err(error) => {
            note(&format!("parlour: {}\n", output::describe_error(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Hides all values in the error that came from the command line.
fn hide_values(error: &mut clap::Error) {
    let hidden = || ContextValue::String("(not shown)".to_owned());
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if error.get(kind).is_some_and(|value| !is_name(value, "")) {
            error.insert(kind, hidden());
            // The suggestion quotes the value too.
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(Vec::new()));
        }
    }
    // For other kinds this is the name of an existing argument.
    if error.kind() == clap::error::ErrorKind::UnknownArgument
        && error.get(ContextKind::InvalidArg).is_some_and(|value| !is_name(value, "-"))
    {
        error.insert(ContextKind::InvalidArg, hidden());
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(Vec::new()));
    }
    if error.kind() != clap::error::ErrorKind::InvalidSubcommand {
        // A value that looks like a name may also be a password.
        if error.get(ContextKind::InvalidValue).is_some() {
            error.insert(ContextKind::InvalidValue, hidden());
        }
    }
}

/// Returns whether a text with this prefix can only be the name of an option or subcommand, possibly misspelt.
fn is_name(value: &ContextValue, start: &str) -> bool {
    let ContextValue::String(text) = value else { return false };
    let Some(rest) = text.strip_prefix(start) else { return false };
    rest.len() <= MAX_NAME_BYTES && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "S3cretS3cretS3cretS3cg";

    /// Returns the printed error of an invalid command line.
    fn printed(arguments: &[&str]) -> String {
        let words = [&["parlour"], arguments].concat();
        let Err(mut error) = parse(words.into_iter().map(Into::into)) else {
            panic!("{arguments:?} is taken")
        };
        hide_values(&mut error);
        error.render().to_string()
    }

    #[test]
    fn errors_quote_names_but_not_values() {
        let link = format!("parlour://host/?pin=x&token={TOKEN}");
        for arguments in [
            &["join", TOKEN][..],
            &["join", &link],
            &["join", "--name", &link],
            &["join", "parlour://host/?token=", TOKEN],
            &["joni", &link],
            &[&link],
            &[TOKEN],
            &["chat", "--pin", TOKEN],
            &["chat", "a", &link, TOKEN],
            &["user", "add", "alice", TOKEN],
            &["user", "add", "alice", "--password", TOKEN],
            &["user", "add", "alice", &format!("--password={TOKEN}")],
            &["user", "role", "alice", TOKEN],
            &["user", "passwd", "alice", "--password-stdin", TOKEN],
            &["user", "passwd", "alice", &format!("--password-stdin={TOKEN}")],
            &["invite", "create", "--uses", TOKEN],
            &["tail", "#lobby", "--since", TOKEN],
            &["serve", "--listen", TOKEN],
            &["send", TOKEN],
            &["device", "revoke", TOKEN, TOKEN],
            &["certs", "show", "--for", TOKEN],
        ] {
            // Some of these command lines are valid for clap.
            let Err(mut error) = Cli::try_parse_from([&["parlour"], arguments].concat()) else { continue };
            hide_values(&mut error);
            let text = error.render().to_string();
            assert!(!text.contains("S3cret"), "{arguments:?}: {text}");
        }
        assert!(printed(&["user", "add", "alice", "--admni"]).contains("'--admni'"));
        assert!(printed(&["joni"]).contains("'joni'"));
        assert!(printed(&["join", "x"]).contains("[LINK]"));
        assert!(printed(&["user", "role", "alice", "x"]).contains("member, admin"));
        Cli::command().debug_assert();
    }

    proptest! {
        #[test]
        fn errors_never_contain_part_of_a_secret(at in 0..6_usize, before in "[-=]{0,2}") {
            let secret = format!("{before}S3cretWord9");
            let mut arguments = vec!["parlour", "user", "add", "alice", "--admin", "--again"];
            arguments.insert(1 + at.min(5), &secret);
            if let Err(mut error) = Cli::try_parse_from(arguments) {
                hide_values(&mut error);
                prop_assert!(!error.render().to_string().contains("cretWord"));
            }
        }
    }
}
