//! The report: medians, ratios and what fell.

use clap::{Args as _, FromArgMatches as _};

use super::report::check::{END, START, fallen};
use super::report::results::{Results, median};
use super::report::{self, Report};

#[test]
fn the_median_is_the_middle() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
}

#[test]
fn results_are_grouped_by_measurement_and_server() {
    let line = |server: &str, rate: u32| {
        format!(
            r#"{{"server":"{server}","scenario":"fan-out","name":"fan-out to 50","deliveries_per_cpu_s":{rate}}}"#
        )
    };
    let text = [line("ceiling", 9), line("Parlour", 3), line("Parlour", 5), line("Parlour", 4)].join("\n");
    let results = Results::parse(&text).expect("results");
    assert_eq!(results.servers(), ["Parlour", "ceiling"]);
    assert_eq!(results.measurements(), [("fan-out to 50", "fan-out")]);
    assert_eq!(results.median("fan-out to 50", "Parlour", "deliveries_per_cpu_s"), Some(4.0));
    assert_eq!(results.median("fan-out to 50", "ngIRCd", "deliveries_per_cpu_s"), None);
    assert!(Results::parse("").is_err() && Results::parse("{}").is_err() && Results::parse("text").is_err());
}

fn page(rows: &str) -> String {
    format!(
        "# Title\n\n{START}\n| Parlour, times as good as | ceiling | ngIRCd |\n| --- | --- | --- |\n{rows}{END}\n"
    )
}

#[test]
fn what_fell_by_more_than_15_percent_is_named() {
    let documented = page(
        "| fan-out: deliveries | 0.80 | 3.00 |\n| idle: KiB | 0.90 | – |\n| only here | 1.00 | 1.00 |\n",
    );
    let same = page("| fan-out: deliveries | 0.69 | 9.00 |\n| idle: KiB | 0.78 | 0.10 |\n");
    assert_eq!(fallen(&documented, &same).expect("tables"), Vec::<String>::new());
    let worse = page("| fan-out: deliveries | 0.60 | 2.00 |\n| idle: KiB | 0.90 | – |\n");
    let lines = fallen(&documented, &worse).expect("tables");
    assert_eq!(
        lines,
        [
            "fan-out: deliveries: 0.60 times ceiling, was 0.80 (25 % less)",
            "fan-out: deliveries: 2.00 times ngIRCd, was 3.00 (33 % less)",
        ]
    );
    assert!(fallen("no table", &worse).is_err() && fallen(&documented, &page("")).is_err());
}

#[test]
fn a_report_draws_and_compares() {
    let line = |server: &str, members: u32, rate: f64| {
        format!(
            r#"{{"server":"{server}","scenario":"fan-out","name":"fan-out to {members}","members":{members},"deliveries_per_cpu_s":{rate}}}"#
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let written = |name: &str, text: &str| {
        std::fs::write(path(name), text).expect("writes");
        path(name).into_os_string()
    };
    let report = |rate: f64| {
        let results =
            [line("Parlour", 10, rate), line("ceiling", 10, 1e6), line("Parlour", 50, 5e5)].join("\n");
        let results = written("results", &results);
        let page = written("page", &page("| fan-out to 10: deliveries a CPU second | 0.80 | – |\n"));
        let words = ["report".into(), results, "--check".into(), page, "--plots".into(), path("").into()];
        let matches = Report::augment_args(clap::Command::new("report")).get_matches_from(words);
        report::run(&Report::from_arg_matches(&matches).expect("options")).expect("a report")
    };
    assert!(report(0.7e6), "0.70 of 0.80 is within 15 %");
    assert!(!report(0.6e6), "0.60 of 0.80 is not");
    let plot = std::fs::read_to_string(path("deliveries.svg")).expect("a plot");
    assert!(
        plot.starts_with("<svg ") && plot.trim_end().ends_with("</svg>") && plot.contains(">Parlour</text>")
    );
    assert_eq!(plot.matches("<circle").count(), 3);
    assert!(path("memory.svg").exists());
}
