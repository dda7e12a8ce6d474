//! The question before a change that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};

use super::output::note;

/// The option that answers the question.
#[derive(clap::Args, Clone, Copy)]
pub struct Confirmation {
    /// Do it without asking. Scripts need this, because nobody can be asked there.
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Asks a question that is answered by yes or no, unless the option did. `refused` says what to do after a no.
    ///
    /// # Errors
    /// The answer is no, or nobody can be asked.
    pub fn ask(self, question: &str, refused: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            bail!("nothing was changed, as nobody can be asked here: run this with --yes");
        }
        note(&format!("{question} [y/N] "));
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).context("cannot read the answer; run this with --yes")?;
        if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        bail!("nothing was changed; {refused}")
    }
}
