//! Breadth-first search over all states. It is written here because a counterexample must be the
//! shortest and "can still settle" must be correct on cycles, which no available model checker
//! guarantees.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hash as _, Hasher};
use std::time::Instant;

use crate::environment::Environment;
use crate::properties::Property;
use crate::steps::Model;
use crate::world::World;

/// The maximum number of states; more means that a value grows without bound.
const LIMIT: usize = 2_500_000;

/// A fast hash that multiplies and rotates; the keys are trusted.
#[derive(Default)]
pub struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_isize(&mut self, word: isize) {
        self.mix(word as u64);
    }
}

pub type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// All explored states, in the order of their distance from the start.
pub struct Explored {
    states: Vec<World>,
    parents: Vec<u32>,
    /// The position of each state, at its hash or the next free number.
    places: FastMap<u64, u32>,
    /// Steps without a fault, as pairs of states.
    healthy: Vec<(u32, u32)>,
    pub steps: u64,
    began: Instant,
}

/// The result of a search.
pub enum Found {
    All(Explored),
    Broken(Property, Explored, u32),
}

/// Visits every state, or stops at the first that breaks one of `properties`.
pub fn explore(model: &Model, properties: &[Property]) -> Found {
    let mut explored = Explored {
        states: Vec::new(),
        parents: Vec::new(),
        places: FastMap::default(),
        healthy: Vec::new(),
        steps: 0,
        began: Instant::now(),
    };
    explored.place(model.start(), 0);
    let mut at = 0;
    while at < explored.states.len() {
        assert!(
            at < LIMIT,
            "more states than expected: {}",
            explored.summary()
        );
        let world = explored.states[at];
        let from = u32::try_from(at).unwrap();
        for (step, next) in model.steps(&world) {
            explored.steps += 1;
            let (to, is_new) = explored.place(next, from);
            if step.fault.is_none() {
                explored.healthy.push((from, to));
            }
            let broken = properties.iter().find(|property| !property.holds(&next));
            if let Some(property) = broken.filter(|_| is_new) {
                return Found::Broken(*property, explored, to);
            }
        }
        at += 1;
    }
    Found::All(explored)
}

impl Explored {
    fn place(&mut self, world: World, parent: u32) -> (u32, bool) {
        let mut hasher = Mixer::default();
        world.hash(&mut hasher);
        let mut hash = hasher.finish();
        loop {
            match self.places.get(&hash) {
                Some(at) if self.states[*at as usize] == world => return (*at, false),
                Some(_) => hash = hash.wrapping_add(1),
                None => break,
            }
        }
        let at = u32::try_from(self.states.len()).unwrap();
        self.places.insert(hash, at);
        self.states.push(world);
        self.parents.push(parent);
        (at, true)
    }

    /// The first state from which no settled state can be reached without a fault.
    pub fn unsettled(&self, environment: &Environment) -> Option<u32> {
        let mut first = vec![0_u32; self.states.len() + 1];
        for (_, to) in &self.healthy {
            first[*to as usize + 1] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut free = first.clone();
        let mut sources = vec![0_u32; self.healthy.len()];
        for (from, to) in &self.healthy {
            sources[free[*to as usize] as usize] = *from;
            free[*to as usize] += 1;
        }
        let mut can: Vec<bool> = self.settled(environment);
        let mut open: Vec<usize> = (0..can.len()).filter(|at| can[*at]).collect();
        while let Some(at) = open.pop() {
            for source in &sources[first[at] as usize..first[at + 1] as usize] {
                let source = *source as usize;
                if !can[source] {
                    can[source] = true;
                    open.push(source);
                }
            }
        }
        let at = can.iter().position(|can| !can)?;
        Some(u32::try_from(at).unwrap())
    }

    fn settled(&self, environment: &Environment) -> Vec<bool> {
        let states = self.states.iter();
        states.map(|world| world.is_settled(environment)).collect()
    }

    /// The shortest path to a state, one step per line.
    pub fn trace(&self, model: &Model, to: u32) -> String {
        let mut way = vec![to];
        while let Some(at) = way.last().copied().filter(|at| *at != 0) {
            way.push(self.parents[at as usize]);
        }
        way.reverse();
        let mut text = String::new();
        for (number, pair) in way.windows(2).enumerate() {
            let (from, to) = (pair[0] as usize, pair[1] as usize);
            let steps = model.steps(&self.states[from]);
            let (step, _) = steps
                .iter()
                .find(|(_, next)| *next == self.states[to])
                .unwrap();
            let who = step.who.map_or("  ".into(), |who| format!("c{who}"));
            let fault = step.fault.map_or(String::new(), |f| format!("  [{f:?}]"));
            writeln!(text, "  {:>2} {who} {}{fault}", number + 1, step.what).unwrap();
        }
        text
    }

    pub fn length(&self, mut at: u32) -> usize {
        let mut steps = 0;
        while at != 0 {
            at = self.parents[at as usize];
            steps += 1;
        }
        steps
    }

    pub fn summary(&self) -> String {
        let depth = self.length(u32::try_from(self.states.len() - 1).unwrap());
        format!(
            "{} states, {} steps, depth {depth}, {:.1} s",
            self.states.len(),
            self.steps,
            self.began.elapsed().as_secs_f64()
        )
    }
}
