//! `parlour completions`: prints the completion script of a shell.

use clap_complete::Shell;

use crate::cli::output::print;

/// Print the completion script of a shell.
///
/// The script completes subcommands, options and the values of options. Packages of Parlour install it already.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour completions bash > ~/.local/share/bash-completion/completions/parlour
  parlour completions zsh > ~/.zfunc/_parlour
  parlour completions fish > ~/.config/fish/completions/parlour.fish")]
pub struct Args {
    /// The shell that the script is for.
    shell: Shell,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    print(&String::from_utf8(script(args.shell))?)
}

/// Returns the completion script of a shell.
fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::cli::tree(), "parlour", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_complete_each_subcommand() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell)).expect("a text");
            for command in crate::cli::tree().get_subcommands().filter(|command| !command.is_hide_set()) {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
