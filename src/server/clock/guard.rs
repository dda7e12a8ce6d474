//! Policy of the guarded clock, without IO: clock readings go in, the server's time comes out.

use std::time::Duration;

use crate::wire::Millis;

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Limit of a difference that is followed at once and for every purpose, in milliseconds.
pub const TRUSTED: i64 = DAY;
/// Limit of a difference that is followed at once for messages, and settles by itself after `PROOF`, in milliseconds.
pub const USUAL: i64 = 31 * DAY;
/// Limit of a difference that is followed at once for messages, in milliseconds. A larger one is held until an admin
/// accepts it.
pub const BELIEVED: i64 = 366 * DAY;
/// Time after which a difference up to [`USUAL`] that lasts is settled, because a wrong clock is set right sooner than
/// that.
pub const PROOF: Duration = Duration::from_hours(24);
/// 2025-01-01. An earlier time is that of a machine without a clock battery, before it has synchronized.
const FLOOR: Millis = Millis(1_735_689_600_000);
/// 2200-01-01, the latest time of the server's clock. Message ids end in 2248.
pub const CEILING: Millis = Millis(7_258_118_400_000);

/// Readings of both clocks of the machine, taken together.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Time of day, which people and NTP set.
    pub wall: Millis,
    /// Monotonic time since some moment.
    pub steady: Duration,
}

/// The server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Time for everything that is sent, counted or shown.
    pub now: Millis,
    /// Time that is stored and that later readings are compared with. Never later than `now`.
    pub settled: Millis,
    /// Time for permanent removal: the settled time, or the machine's clock if that is earlier. An earlier time removes
    /// less, whichever of the two is right.
    pub removal: Millis,
}

/// Change of the clock's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The clock jumped by so many milliseconds and is followed.
    Followed(i64),
    /// The clock jumped by so many milliseconds. It is followed for messages, but removal does not use it until it
    /// settles or is accepted. The flag is true if it settles by itself.
    Unsettled(i64, bool),
    /// The clock jumped so far that the time before the jump continues until the clock is accepted.
    Held(i64),
    /// The clock has kept the new time for long enough, or is back at the old one.
    Settled,
}

/// Compares the time of day with the time expected by the monotonic clock.
#[derive(Debug)]
pub struct Guard {
    /// Clock readings at the last settled moment.
    anchor: Option<Clocks>,
    /// Difference that is not settled, in milliseconds, and the monotonic time of its start.
    doubt: Option<(i64, Duration)>,
}

impl Guard {
    /// Makes a guard from the time of the last commit, if any, and the present monotonic time.
    pub fn new(last: Option<Millis>, steady: Duration) -> Self {
        Self { anchor: last.map(|wall| Clocks { wall, steady }), doubt: None }
    }

    /// Returns the server's time, and the change to report, if any.
    pub fn read(&mut self, clocks: Clocks) -> (Reading, Option<Change>) {
        let clocks = Clocks { wall: clocks.wall.min(CEILING), ..clocks };
        let expected = self.expected(clocks.steady).filter(|expected| *expected >= FLOOR);
        let Some(expected) = expected else { return (self.settle(clocks), None) };
        let ahead = signed(clocks.wall) - signed(expected);
        if ahead.abs() <= TRUSTED || (-BELIEVED..0).contains(&ahead) {
            // An earlier time removes nothing that a later one would not.
            let jumped = (ahead.abs() > MINUTE).then_some(Change::Followed(ahead));
            let change = self.doubt.take().map(|_| Change::Settled).or(jumped);
            return (self.settle(clocks), change);
        }
        let held = ahead.abs() > BELIEVED;
        let (since, is_new) = match self.doubt {
            Some((known, since)) if (known - ahead).abs() <= MINUTE => (since, false),
            _ => (clocks.steady, true),
        };
        // Slow drift is not a new jump.
        self.doubt = Some((ahead, since));
        if ahead <= USUAL && !held && clocks.steady.saturating_sub(since) >= PROOF {
            return (self.settle(clocks), Some(Change::Settled));
        }
        let change = if held { Change::Held(ahead) } else { Change::Unsettled(ahead, ahead <= USUAL) };
        let now = if held { expected } else { clocks.wall };
        let removal = expected.min(clocks.wall);
        (Reading { now, settled: expected, removal }, is_new.then_some(change))
    }

    /// Settles the time of day as it is, because an admin says that it is right.
    pub fn accept(&mut self, clocks: Clocks) -> Reading {
        self.settle(Clocks { wall: clocks.wall.min(CEILING), ..clocks })
    }

    /// Returns the difference that is not settled, in milliseconds.
    pub fn doubt(&self) -> Option<i64> {
        self.doubt.map(|(ahead, _)| ahead)
    }

    fn expected(&self, steady: Duration) -> Option<Millis> {
        let anchor = self.anchor?;
        let since = steady.saturating_sub(anchor.steady).as_millis();
        Some(Millis(anchor.wall.0.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))))
    }

    fn settle(&mut self, clocks: Clocks) -> Reading {
        (self.anchor, self.doubt) = (Some(clocks), None);
        Reading { now: clocks.wall, settled: clocks.wall, removal: clocks.wall }
    }
}

fn signed(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000;

    /// A machine whose clocks the test sets.
    struct Machine {
        guard: Guard,
        wall: i64,
        steady: Duration,
    }

    impl Machine {
        /// Starts a server `ahead` ms after its last commit, by its own clock.
        fn started(ahead: i64) -> Self {
            let last = Millis(u64::try_from(START).expect("a time"));
            Self {
                guard: Guard::new(Some(last), Duration::ZERO),
                wall: START + ahead,
                steady: Duration::ZERO,
            }
        }

        fn clocks(&self) -> Clocks {
            Clocks { wall: Millis(u64::try_from(self.wall).expect("a time")), steady: self.steady }
        }

        fn passes(&mut self, ms: i64) {
            self.wall += ms;
            self.steady += Duration::from_millis(u64::try_from(ms).expect("a time"));
        }

        /// Returns `now` and `settled` as offsets from the start, and the change.
        fn read(&mut self) -> (i64, i64, Option<Change>) {
            let (reading, change) = self.guard.read(self.clocks());
            (signed(reading.now) - START, signed(reading.settled) - START, change)
        }
    }

    #[test]
    fn jump_below_a_day_is_followed() {
        let mut machine = Machine::started(10 * 60 * MINUTE);
        assert_eq!(
            machine.read(),
            (10 * 60 * MINUTE, 10 * 60 * MINUTE, Some(Change::Followed(10 * 60 * MINUTE)))
        );
        machine.passes(MINUTE);
        assert_eq!(machine.read(), (601 * MINUTE, 601 * MINUTE, None));
    }

    #[test]
    fn jump_of_weeks_delays_removal_for_a_day() {
        let mut machine = Machine::started(21 * DAY);
        assert_eq!(machine.read(), (21 * DAY, 0, Some(Change::Unsettled(21 * DAY, true))));
        machine.passes(DAY - 1);
        assert_eq!(machine.read(), (22 * DAY - 1, DAY - 1, None));
        machine.passes(1);
        assert_eq!(machine.read(), (22 * DAY, 22 * DAY, Some(Change::Settled)));
    }

    #[test]
    fn jump_of_months_blocks_removal_until_accepted() {
        let mut machine = Machine::started(90 * DAY);
        assert_eq!(machine.read(), (90 * DAY, 0, Some(Change::Unsettled(90 * DAY, false))));
        machine.passes(50 * DAY);
        assert_eq!(machine.read(), (140 * DAY, 50 * DAY, None));
        machine.guard.accept(machine.clocks());
        assert_eq!(machine.read(), (140 * DAY, 140 * DAY, None));
    }

    #[test]
    fn jump_of_ten_years_is_rejected_and_recovers() {
        let years = 3653 * DAY;
        let mut machine = Machine::started(years);
        assert_eq!(machine.read(), (0, 0, Some(Change::Held(years))));
        machine.passes(40 * DAY);
        assert_eq!(machine.read(), (40 * DAY, 40 * DAY, None), "however long it lasts");
        machine.wall -= years;
        assert_eq!(machine.read(), (40 * DAY, 40 * DAY, Some(Change::Settled)));
        // A jump while the server runs is treated the same.
        machine.wall += years;
        assert_eq!(machine.read(), (40 * DAY, 40 * DAY, Some(Change::Held(years))));
        machine.guard.accept(machine.clocks());
        assert_eq!(machine.read().0, 40 * DAY + years);
    }

    #[test]
    fn step_back_is_followed_unless_by_decades() {
        let mut machine = Machine::started(0);
        machine.read();
        machine.wall -= 3 * DAY;
        assert_eq!(machine.read(), (-3 * DAY, -3 * DAY, Some(Change::Followed(-3 * DAY))));
        machine.wall += 3 * DAY;
        assert_eq!(
            machine.read(),
            (0, -3 * DAY, Some(Change::Unsettled(3 * DAY, true))),
            "and forward again"
        );
        machine.wall = 5 * MINUTE;
        machine.passes(MINUTE);
        assert_eq!(machine.read().0, -3 * DAY + MINUTE, "a clock that lost the time, in 1970");
    }

    #[test]
    fn each_small_jump_is_reported() {
        let mut machine = Machine::started(0);
        for _ in 0..5 {
            machine.wall += 2 * MINUTE;
            assert_eq!(machine.read().2, Some(Change::Followed(2 * MINUTE)));
        }
        machine.wall += MINUTE / 2;
        assert_eq!(machine.read().2, None, "clocks are set a little all the time");
    }

    #[test]
    fn server_without_last_commit_follows_plausible_time() {
        let mut guard = Guard::new(None, Duration::ZERO);
        let read = |guard: &mut Guard, wall| {
            guard.read(Clocks { wall: Millis(wall), steady: Duration::from_secs(1) }).0.now.0
        };
        assert_eq!(read(&mut guard, 5), 5);
        assert_eq!(read(&mut guard, 1_800_000_000_000), 1_800_000_000_000);
        assert_eq!(read(&mut guard, u64::MAX), 1_800_000_000_000);
        assert_eq!(
            Guard::new(None, Duration::ZERO)
                .read(Clocks { wall: Millis(u64::MAX), steady: Duration::ZERO })
                .0
                .now,
            CEILING
        );
    }
}
