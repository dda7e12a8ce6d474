//! What clap says of a command line that is wrong, without the secrets that may be in it.

use std::process::ExitCode;

/// Before a token, in every spelling of a link that can be told to be one.
const TOKEN: &str = "token=";

/// Prints the error, or the help that was asked for, and gives the exit code.
///
/// clap quotes what it does not take. An invite link that was damaged, or given to another command, still has its token,
/// and what is printed is kept: by terminals, by logs of scripts, in what people paste when they ask for help.
pub fn explain(error: &clap::Error) -> ExitCode {
    let plain = error.render().to_string();
    if plain.contains(TOKEN) {
        eprint!("{}", without_tokens(&plain));
    } else {
        // Nobody reads it any more; the exit code is all there is to say.
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The text with nothing of what stands behind `token=`.
pub fn without_tokens(text: &str) -> String {
    let mut parts = text.split(TOKEN);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end =
            part.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '&')).unwrap_or(part.len());
        clean.push_str(TOKEN);
        clean.push('…');
        clean.push_str(part.get(end..).unwrap_or_default());
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_left() {
        for (text, expected) in [
            ("plain", "plain"),
            ("value 'parlour://a/?pin=x&token=S3-_cret' for", "value 'parlour://a/?pin=x&token=…' for"),
            ("token=S3cret&token=S3cret\n", "token=…&token=…\n"),
            ("token=", "token=…"),
            ("'token=S3cret ä' token=ä", "'token=… ä' token=…"),
        ] {
            assert_eq!(without_tokens(text), expected);
        }
    }
}
