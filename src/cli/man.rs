//! `parlour man`: writes the manual pages.

use std::path::PathBuf;

use anyhow::Context as _;

/// Write the manual pages into a folder.
///
/// One page for the program and one for each subcommand, such as parlour-serve.1, in the troff format that `man` reads.
/// The folder is created where it is missing, and pages of the same names are replaced.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  parlour man ~/.local/share/man/man1 && man parlour-serve")]
pub struct Args {
    /// The folder that the pages are written to.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(crate::cli::tree(), folder))
        .with_context(|| {
            format!("cannot write the pages into {}; is it a folder of yours with room?", folder.display())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subcommand_has_a_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let pages = folder.path().join("share").join("man1");
        run(&Args { folder: pages.clone() }).expect("pages");
        for command in crate::cli::tree().get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = pages.join(format!("parlour-{}.1", command.get_name()));
            let text =
                std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            assert!(text.contains(".SH SYNOPSIS"), "{text}");
        }
        let overview = std::fs::read_to_string(pages.join("parlour.1")).expect("the page of the program");
        assert!(overview.contains("parlour\\-serve(1)"), "{overview}");
    }

    #[test]
    fn error_names_folder_that_cannot_be_made() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let error = run(&Args { folder: file.path().join("man1") }).expect_err("a file is no folder");
        assert!(format!("{error:#}").contains(&file.path().display().to_string()), "{error:#}");
    }
}
