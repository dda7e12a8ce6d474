//! The comparison of new ratios with those of a page.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

/// Comment above the table of ratios.
pub const START: &str = "<!-- ratios of scripts/bench.sh -->";

/// Comment below the table of ratios.
pub const END: &str = "<!-- end of ratios -->";

/// Smallest share of a documented ratio that has not fallen.
const KEPT: f64 = 0.85;

/// Returns what of the documented ratios fell by more than 15 %, one line each.
///
/// # Errors
/// When one of the two has no table, or they have nothing in common.
pub fn fallen(documented: &str, measured: &str) -> Result<Vec<String>> {
    let (documented, measured) = (parse(documented).context("the page")?, parse(measured)?);
    let mut compared = 0;
    let mut fallen = Vec::new();
    for ((row, server), new) in &measured {
        let Some(old) = documented.get(&(row.clone(), server.clone())) else { continue };
        compared += 1;
        if new / old < KEPT {
            let lost = (1.0 - new / old) * 100.0;
            fallen.push(format!("{row}: {new:.2} times {server}, was {old:.2} ({lost:.0} % less)"));
        }
    }
    ensure!(compared > 0, "none of the documented ratios was measured");
    Ok(fallen)
}

/// Parses a table of ratios: a ratio for each row and server.
fn parse(page: &str) -> Result<BTreeMap<(String, String), f64>> {
    let table = page.split_once(START).and_then(|(_, rest)| rest.split_once(END));
    let (table, _) = table.with_context(|| format!("there is no table after {START}"))?;
    let mut lines = table.lines().filter(|line| line.starts_with('|')).map(cells);
    let servers = lines.next().context("a table without a header")?;
    let mut ratios = BTreeMap::new();
    for row in lines {
        let Some((name, values)) = row.split_first() else { continue };
        for (server, value) in servers.iter().skip(1).zip(values) {
            // Others are lines between header and body, or not measured.
            if let Ok(value) = value.parse() {
                ratios.insert((name.clone(), server.clone()), value);
            }
        }
    }
    Ok(ratios)
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}
