//! Policy of the guarded clock, without IO: clock readings go in, the server's time comes out.

use std::time::Duration;

use crate::wire::Timestamp;

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Limit of a difference that is followed at once and for every purpose, in milliseconds.
pub const TRUSTED_JUMP_MS: i64 = DAY;
/// Limit of a difference that is followed at once for messages, and settles by itself after the settling time, in
/// milliseconds.
pub const SELF_SETTLING_JUMP_MS: i64 = 31 * DAY;
/// Limit of a difference that is followed at once for messages, in milliseconds. A larger one is held until an admin
/// accepts it.
pub const ACCEPTED_JUMP_MS: i64 = 366 * DAY;
/// Time after which a lasting difference up to [`SELF_SETTLING_JUMP_MS`] is settled, because a wrong clock is set right
/// sooner than that.
pub const SETTLING_TIME: Duration = Duration::from_hours(24);
/// 2025-01-01. An earlier time is that of a machine without a clock battery, before it has synchronized.
const EARLIEST_TIME: Timestamp = Timestamp(1_735_689_600_000);
/// 2200-01-01, the latest time of the server's clock. Message ids end in 2248.
pub const LATEST_TIME: Timestamp = Timestamp(7_258_118_400_000);

/// Readings of both clocks of the machine, taken together.
#[derive(Clone, Copy, Debug)]
pub struct ClockSample {
    /// Time of day, which people and NTP set.
    pub wall: Timestamp,
    /// Monotonic time since some moment.
    pub monotonic: Duration,
}

/// The server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// Time for everything that is sent, counted or shown.
    pub now: Timestamp,
    /// Time that is stored and that later readings are compared with. Never later than `now`.
    pub settled: Timestamp,
    /// Time for permanent removal: the settled time, or the machine's clock if that is earlier. An earlier time removes
    /// less, whichever of the two is right.
    pub removal: Timestamp,
}

/// Change of the clock's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChange {
    /// The clock jumped by so many milliseconds and is followed.
    Followed(i64),
    /// The clock jumped by so many milliseconds. It is followed for messages, but removal does not use it until it
    /// settles or is accepted. The flag is true if it settles by itself.
    Unsettled(i64, bool),
    /// The clock jumped so far that the time before the jump continues until the clock is accepted.
    Rejected(i64),
    /// The clock has kept the new time for long enough, or is back at the old one.
    Settled,
}

/// Compares the time of day with the time expected by the monotonic clock.
#[derive(Debug)]
pub struct ClockGuard {
    /// Clock readings at the last settled moment.
    settled_sample: Option<ClockSample>,
    /// Difference that is not settled, in milliseconds, and the monotonic time of its start.
    unsettled: Option<(i64, Duration)>,
}

impl ClockGuard {
    /// Makes a guard from the time of the last commit, if any, and the present monotonic time.
    pub fn new(last_commit: Option<Timestamp>, monotonic: Duration) -> Self {
        Self { settled_sample: last_commit.map(|wall| ClockSample { wall, monotonic }), unsettled: None }
    }

    /// Returns the server's time, and the change to report, if any.
    pub fn read(&mut self, sample: ClockSample) -> (ServerTime, Option<ClockChange>) {
        let sample = ClockSample { wall: sample.wall.min(LATEST_TIME), ..sample };
        let expected = self.expected_time(sample.monotonic).filter(|expected| *expected >= EARLIEST_TIME);
        let Some(expected) = expected else { return (self.settle(sample), None) };
        let ahead = to_signed_ms(sample.wall) - to_signed_ms(expected);
        if ahead.abs() <= TRUSTED_JUMP_MS || (-ACCEPTED_JUMP_MS..0).contains(&ahead) {
            // An earlier time removes nothing that a later one would not.
            let jumped = (ahead.abs() > MINUTE).then_some(ClockChange::Followed(ahead));
            let change = self.unsettled.take().map(|_| ClockChange::Settled).or(jumped);
            return (self.settle(sample), change);
        }
        let is_rejected = ahead.abs() > ACCEPTED_JUMP_MS;
        let (since, is_new) = match self.unsettled {
            Some((known, since)) if (known - ahead).abs() <= MINUTE => (since, false),
            _ => (sample.monotonic, true),
        };
        // Slow drift is not a new jump.
        self.unsettled = Some((ahead, since));
        if ahead <= SELF_SETTLING_JUMP_MS
            && !is_rejected
            && sample.monotonic.saturating_sub(since) >= SETTLING_TIME
        {
            return (self.settle(sample), Some(ClockChange::Settled));
        }
        let change = if is_rejected {
            ClockChange::Rejected(ahead)
        } else {
            ClockChange::Unsettled(ahead, ahead <= SELF_SETTLING_JUMP_MS)
        };
        let now = if is_rejected { expected } else { sample.wall };
        let removal = expected.min(sample.wall);
        (ServerTime { now, settled: expected, removal }, is_new.then_some(change))
    }

    /// Settles the time of day as it is, because an admin says that it is right.
    pub fn accept(&mut self, sample: ClockSample) -> ServerTime {
        self.settle(ClockSample { wall: sample.wall.min(LATEST_TIME), ..sample })
    }

    /// Returns the difference that is not settled, in milliseconds.
    pub fn unsettled_ms(&self) -> Option<i64> {
        self.unsettled.map(|(ahead, _)| ahead)
    }

    fn expected_time(&self, monotonic: Duration) -> Option<Timestamp> {
        let anchor = self.settled_sample?;
        let since = monotonic.saturating_sub(anchor.monotonic).as_millis();
        Some(Timestamp(anchor.wall.0.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))))
    }

    fn settle(&mut self, sample: ClockSample) -> ServerTime {
        (self.settled_sample, self.unsettled) = (Some(sample), None);
        ServerTime { now: sample.wall, settled: sample.wall, removal: sample.wall }
    }
}

fn to_signed_ms(time: Timestamp) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000;

    /// A machine whose clocks the test sets.
    struct Machine {
        guard: ClockGuard,
        wall: i64,
        steady: Duration,
    }

    impl Machine {
        /// Starts a server `ahead` ms after its last commit, by its own clock.
        fn booted(ahead: i64) -> Self {
            let last = Timestamp(u64::try_from(START).expect("a time"));
            Self {
                guard: ClockGuard::new(Some(last), Duration::ZERO),
                wall: START + ahead,
                steady: Duration::ZERO,
            }
        }

        fn clocks(&self) -> ClockSample {
            ClockSample { wall: Timestamp(u64::try_from(self.wall).expect("a time")), monotonic: self.steady }
        }

        fn advance(&mut self, ms: i64) {
            self.wall += ms;
            self.steady += Duration::from_millis(u64::try_from(ms).expect("a time"));
        }

        /// Returns `now` and `settled` as offsets from the start, and the change.
        fn read(&mut self) -> (i64, i64, Option<ClockChange>) {
            let (reading, change) = self.guard.read(self.clocks());
            (to_signed_ms(reading.now) - START, to_signed_ms(reading.settled) - START, change)
        }
    }

    #[test]
    fn jump_below_a_day_is_followed() {
        let mut machine = Machine::booted(10 * 60 * MINUTE);
        assert_eq!(
            machine.read(),
            (10 * 60 * MINUTE, 10 * 60 * MINUTE, Some(ClockChange::Followed(10 * 60 * MINUTE)))
        );
        machine.advance(MINUTE);
        assert_eq!(machine.read(), (601 * MINUTE, 601 * MINUTE, None));
    }

    #[test]
    fn jump_of_weeks_delays_removal_for_a_day() {
        let mut machine = Machine::booted(21 * DAY);
        assert_eq!(machine.read(), (21 * DAY, 0, Some(ClockChange::Unsettled(21 * DAY, true))));
        machine.advance(DAY - 1);
        assert_eq!(machine.read(), (22 * DAY - 1, DAY - 1, None));
        machine.advance(1);
        assert_eq!(machine.read(), (22 * DAY, 22 * DAY, Some(ClockChange::Settled)));
    }

    #[test]
    fn jump_of_months_blocks_removal_until_accepted() {
        let mut machine = Machine::booted(90 * DAY);
        assert_eq!(machine.read(), (90 * DAY, 0, Some(ClockChange::Unsettled(90 * DAY, false))));
        machine.advance(50 * DAY);
        assert_eq!(machine.read(), (140 * DAY, 50 * DAY, None));
        machine.guard.accept(machine.clocks());
        assert_eq!(machine.read(), (140 * DAY, 140 * DAY, None));
    }

    #[test]
    fn jump_of_ten_years_is_rejected_and_recovers() {
        let years = 3653 * DAY;
        let mut machine = Machine::booted(years);
        assert_eq!(machine.read(), (0, 0, Some(ClockChange::Rejected(years))));
        machine.advance(40 * DAY);
        assert_eq!(machine.read(), (40 * DAY, 40 * DAY, None), "however long it lasts");
        machine.wall -= years;
        assert_eq!(machine.read(), (40 * DAY, 40 * DAY, Some(ClockChange::Settled)));
        // A jump while the server runs is treated the same.
        machine.wall += years;
        assert_eq!(machine.read(), (40 * DAY, 40 * DAY, Some(ClockChange::Rejected(years))));
        machine.guard.accept(machine.clocks());
        assert_eq!(machine.read().0, 40 * DAY + years);
    }

    #[test]
    fn step_back_is_followed_unless_by_decades() {
        let mut machine = Machine::booted(0);
        machine.read();
        machine.wall -= 3 * DAY;
        assert_eq!(machine.read(), (-3 * DAY, -3 * DAY, Some(ClockChange::Followed(-3 * DAY))));
        machine.wall += 3 * DAY;
        assert_eq!(
            machine.read(),
            (0, -3 * DAY, Some(ClockChange::Unsettled(3 * DAY, true))),
            "and forward again"
        );
        machine.wall = 5 * MINUTE;
        machine.advance(MINUTE);
        assert_eq!(machine.read().0, -3 * DAY + MINUTE, "a clock that lost the time, in 1970");
    }

    #[test]
    fn each_small_jump_is_reported() {
        let mut machine = Machine::booted(0);
        for _ in 0..5 {
            machine.wall += 2 * MINUTE;
            assert_eq!(machine.read().2, Some(ClockChange::Followed(2 * MINUTE)));
        }
        machine.wall += MINUTE / 2;
        assert_eq!(machine.read().2, None, "clocks are set a little all the time");
    }

    #[test]
    fn server_without_last_commit_follows_plausible_time() {
        let mut guard = ClockGuard::new(None, Duration::ZERO);
        let read = |guard: &mut ClockGuard, wall| {
            guard.read(ClockSample { wall: Timestamp(wall), monotonic: Duration::from_secs(1) }).0.now.0
        };
        assert_eq!(read(&mut guard, 5), 5);
        assert_eq!(read(&mut guard, 1_800_000_000_000), 1_800_000_000_000);
        assert_eq!(read(&mut guard, u64::MAX), 1_800_000_000_000);
        assert_eq!(
            ClockGuard::new(None, Duration::ZERO)
                .read(ClockSample { wall: Timestamp(u64::MAX), monotonic: Duration::ZERO })
                .0
                .now,
            LATEST_TIME
        );
    }
}
