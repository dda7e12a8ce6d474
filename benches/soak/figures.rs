//! Statistics of echo times, with their confidence.

/// A percentile of samples, with the bounds of its 95 % confidence interval (order statistics of the binomial
/// distribution, by its normal approximation).
#[derive(Clone, Copy, Debug, Default)]
pub struct Percentile {
    pub low: f64,
    pub value: f64,
    pub high: f64,
}

/// Echo times of a phase, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct EchoTimes {
    pub count: usize,
    pub p50: f64,
    pub p99: Percentile,
}

impl EchoTimes {
    /// Minimum count of samples for a 99th percentile, so that some of them lie beyond it.
    pub const MIN_SAMPLES: usize = 300;

    pub fn from_values(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let at = |rank: f64| {
            let last = count.saturating_sub(1);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let index = (rank.max(1.0) as usize).saturating_sub(1).min(last);
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let n = count as f64;
        let (middle, spread) = (0.99 * n, 1.96 * (n * 0.99 * 0.01).sqrt());
        Self {
            count,
            p50: at((0.5 * n).ceil()),
            p99: Percentile {
                low: at((middle - spread).floor()),
                value: at(middle.ceil()),
                high: at((middle + spread).ceil() + 1.0),
            },
        }
    }
}
