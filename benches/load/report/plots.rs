//! Plots as SVG: a line for each server, over the count of sessions on a logarithmic axis.

use std::fmt::Write as _;

use super::results::Results;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Space for the labels of the axes.
const LEFT: f64 = 80.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 40.0;
/// Space for the names of the servers.
const RIGHT: f64 = 110.0;

/// Colours that differ in lightness too.
const COLOURS: [&str; 5] = ["#0b5394", "#888888", "#b45f06", "#38761d", "#741b47"];

/// Draws the deliveries that a second of the server's CPU makes, over the members of the channel.
pub fn deliveries(results: &Results) -> String {
    let lines = lines(results, "fan-out", "members", "deliveries_per_cpu_s");
    draw("Deliveries a CPU second", "members of the channel", &lines)
}

/// Draws the resident memory, over the count of idle sessions.
pub fn memory(results: &Results) -> String {
    let lines = lines(results, "idle", "sessions", "rss_mib");
    draw("Resident memory, MiB", "idle sessions", &lines)
}

/// The points of one server.
struct PlottedLine {
    server: String,
    points: Vec<(f64, f64)>,
}

fn lines(results: &Results, scenario: &str, x: &str, y: &str) -> Vec<PlottedLine> {
    let measurements = results.measurements();
    let names = || measurements.iter().filter(|(_, of)| *of == scenario).map(|(name, _)| *name);
    let line = |server: &str| {
        let point = |name| Some((results.median(name, server, x)?, results.median(name, server, y)?));
        let mut points: Vec<(f64, f64)> = names().filter_map(point).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        PlottedLine { server: server.to_owned(), points }
    };
    results.servers().into_iter().map(line).filter(|line| !line.points.is_empty()).collect()
}

fn draw(title: &str, x_title: &str, lines: &[PlottedLine]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|point| point.1).fold(1.0, f64::max);
    let step = tick_step(most);
    let top = (most / step).ceil() * step;
    let first = points().map(|point| point.0).fold(f64::INFINITY, f64::min).max(1.0);
    let last = points().map(|point| point.0).fold(1.0, f64::max).max(first * 1.01);
    let (plot_width, plot_height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let x = |value: f64| LEFT + (value / first).ln() / (last / first).ln() * plot_width;
    let y = |value: f64| TOP + (1.0 - value / top) * plot_height;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n\
         <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{x_title}</text>\n",
        LEFT + plot_width / 2.0,
        HEIGHT - 10.0,
    );
    let mut value = 0.0;
    while value <= top {
        let at = y(value);
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
            short(value),
        );
        value += step;
    }
    let mut sizes: Vec<f64> = points().map(|point| point.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x(size),
            HEIGHT - BOTTOM + 18.0,
            short(size),
        );
    }
    let mut labels: Vec<(f64, &str, &str)> = Vec::new();
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<String> =
            line.points.iter().map(|point| format!("{:.1} {:.1}", x(point.0), y(point.1))).collect();
        let path = path.join("L");
        let _ = writeln!(svg, "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        for point in &line.points {
            let (x, y) = (x(point.0), y(point.1));
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        labels.extend(line.points.last().map(|end| (y(end.1) + 4.0, line.server.as_str(), *colour)));
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = 0.0;
    for (wanted, server, colour) in labels {
        // Below the label that is in the way.
        let at = wanted.max(free);
        free = at + 14.0;
        let left = WIDTH - RIGHT + 8.0;
        let _ = writeln!(svg, "<text x=\"{left}\" y=\"{at:.1}\" fill=\"{colour}\">{server}</text>");
    }
    svg + "</svg>\n"
}

/// Returns the distance of the lines of a grid of about five: 1, 2 or 5 times a power of ten.
fn tick_step(most: f64) -> f64 {
    let rough = most / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(power)
}

/// Prints a number of an axis: `2,000,000` as `2M`.
fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", value / 1e6),
        1e4.. => format!("{}k", value / 1e3),
        _ => format!("{}", (value * 100.0).round() / 100.0),
    }
}
