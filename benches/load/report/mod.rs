//! Tables and plots of the results of `scripts/bench.sh`, and their comparison with the documentation. Pure, except for the
//! files.

pub mod check;
mod plots;
pub mod results;
mod tables;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use results::Results;

/// Prints tables of results.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Report {
    /// File with the lines that the scenarios have printed
    results: PathBuf,
    /// Compare the ratios with those of this page, and fail if one has fallen by more than 15 %
    #[arg(long, value_name = "PAGE")]
    check: Option<PathBuf>,
    /// Draw deliveries.svg and memory.svg in this folder
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
}

/// Prints the tables. Returns false if the check found that something fell.
pub fn run(options: &Report) -> Result<bool> {
    let text = fs::read_to_string(&options.results).context("the results")?;
    let results = Results::parse(&text)?;
    println!("{}", tables::values(&results));
    let ratios = tables::ratios(&results);
    println!("{ratios}");
    if let Some(folder) = &options.plots {
        fs::write(folder.join("deliveries.svg"), plots::deliveries(&results)).context("deliveries.svg")?;
        fs::write(folder.join("memory.svg"), plots::memory(&results)).context("memory.svg")?;
    }
    let Some(page) = &options.check else { return Ok(true) };
    let documented = fs::read_to_string(page).context("the page to compare with")?;
    let fallen = check::fallen(&documented, &ratios)?;
    for line in &fallen {
        println!("fell: {line}");
    }
    if fallen.is_empty() {
        println!("nothing fell by more than 15 %");
    }
    Ok(fallen.is_empty())
}
