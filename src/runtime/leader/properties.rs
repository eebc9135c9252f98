//! However requests and answers are late or lost, two pods never lead at once, and two processes of
//! one pod only until the first one finds out.

use std::time::Duration;

use proptest::prelude::*;

use super::simulation::{Event, World};

/// Clocks differ by this much in their rate: far more than real ones, and less
/// than the lease duration exceeds the renew deadline.
const RATES: std::ops::RangeInclusive<u64> = 900..=1_100;

fn event() -> impl Strategy<Value = Event> {
    let who = 0..2_usize;
    prop_oneof![
        4 => (1..800_u64).prop_map(Event::Sleep),
        2 => (800..17_000_u64).prop_map(Event::Sleep),
        6 => who.clone().prop_map(Event::Start),
        8 => who.clone().prop_map(Event::Land),
        8 => who.clone().prop_map(Event::Answer),
        1 => who.clone().prop_map(Event::GiveUp),
        1 => who.clone().prop_map(Event::Release),
        1 => who.prop_map(Event::Restart),
    ]
}

/// Mostly whole exchanges, so that leases are held long enough to be fought for.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let exchange =
        (0..2_usize).prop_map(|who| vec![Event::Start(who), Event::Land(who), Event::Answer(who)]);
    let part = prop_oneof![event().prop_map(|event| vec![event]), exchange];
    prop::collection::vec(part, 1..250).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn two_never_lead_at_once_and_whoever_is_left_leads_in_the_end(
        rates in [RATES, RATES],
        offsets in [0..1_000_000_u64, 0..1_000_000_u64],
        events in events(),
        left in 0..2_usize,
    ) {
        let mut world = World::new(["first", "second"], rates, offsets);
        for event in events {
            world.happen(event);
            prop_assert!(!(world.leads(0) && world.leads(1)), "after {event:?}");
        }
        world.happen(Event::GiveUp(left));
        for _ in 0..20 {
            world.exchange(left);
            world.happen(Event::Sleep(1_000));
            prop_assert!(!(world.leads(0) && world.leads(1)), "at the end");
        }
        prop_assert!(world.leads(left));
    }

    #[test]
    fn two_processes_of_one_pod_inherit_once_each_and_soon_one_leads(
        rates in [RATES, RATES],
        offsets in [0..1_000_000_u64, 0..1_000_000_u64],
        events in events(),
        left in 0..2_usize,
    ) {
        let mut world = World::new(["same", "same"], rates, offsets);
        for event in events {
            world.happen(event);
            prop_assert!(world.early.values().all(|times| *times == 1), "{:?}", world.early);
            // The renew deadline by the slowest of the clocks.
            let both = world.leads(0) && world.leads(1);
            prop_assert!(!both || world.since_takeover() < 11_200, "after {event:?}");
        }
        world.happen(Event::GiveUp(left));
        for _ in 0..20 {
            world.exchange(left);
            world.happen(Event::Sleep(1_000));
        }
        prop_assert!(world.leads(left));
    }
}

#[test]
fn a_leader_that_renews_is_never_replaced_and_one_that_stops_is() {
    let mut world = World::new(["first", "second"], [1_000, 1_000], [0, 77_000]);
    for _ in 0..100 {
        world.exchange(0);
        world.exchange(1);
        world.happen(Event::Sleep(2_000));
    }
    assert_eq!(world.led, [true, false]);
    let begun = world.millis;
    while !world.leads(1) {
        assert!(world.millis - begun < 60_000);
        world.exchange(1);
        world.happen(Event::Sleep(500));
    }
    let taken = Duration::from_millis(world.millis - begun);
    assert!((13..=16).contains(&taken.as_secs()), "{taken:?}");
    // The lease names the second now: the first one finds out and waits.
    world.exchange(0);
    world.exchange(0);
    world.exchange(0);
    assert!(world.leads(1) && !world.leads(0));
    assert_eq!(world.transitions(), Some(1));
}

#[test]
fn a_restarted_process_leads_at_once_and_another_pod_waits() {
    let mut world = World::new(["first", "second"], [1_000, 1_000], [0, 77_000]);
    for who in [0, 0, 1] {
        world.exchange(who);
    }
    assert!(world.leads(0));
    for who in [0, 1] {
        world.happen(Event::Restart(who));
        world.exchange(who);
        world.exchange(who);
    }
    assert!(world.leads(0) && !world.leads(1));
    assert_eq!(world.transitions(), Some(1));
}

#[test]
fn a_process_whose_lease_was_inherited_waits_until_its_heir_stops_renewing() {
    let mut world = World::new(["same", "same"], [1_000, 1_000], [0, 77_000]);
    for who in [0, 0, 1, 1] {
        world.exchange(who);
    }
    assert!(
        world.leads(0) && world.leads(1),
        "the first knows at its renewal"
    );
    // Its renewal conflicts; then it reads the lease.
    world.exchange(0);
    for _ in 0..100 {
        world.exchange(0);
        world.exchange(1);
        world.happen(Event::Sleep(2_000));
        assert!(!world.leads(0) && world.leads(1));
    }
    assert_eq!(world.transitions(), Some(1));
    let begun = world.millis;
    while !world.leads(0) {
        assert!(world.millis - begun < 60_000);
        world.exchange(0);
        world.happen(Event::Sleep(500));
    }
    let taken = Duration::from_millis(world.millis - begun);
    assert!((13..=16).contains(&taken.as_secs()), "{taken:?}");
}
