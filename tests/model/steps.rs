//! The steps that are possible in a state.

use std::cell::Cell;

use crate::environment::{Design, Environment, Fault};
use crate::product::Product;
use crate::properties::Landmark;
use crate::world::World;

/// One step: its description, its process, and its fault.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub what: &'static str,
    pub who: Option<u8>,
    pub fault: Option<Fault>,
}

pub struct Model {
    pub product: Product,
    landmarks: Cell<u64>,
}

/// The steps from one state.
pub struct Steps<'a> {
    pub model: &'a Model,
    pub world: &'a World,
    pub next: Vec<(Step, World)>,
}

impl Model {
    pub fn new(environment: Environment) -> Self {
        Self {
            product: Product::new(environment),
            landmarks: Cell::new(0),
        }
    }

    pub fn environment(&self) -> &Environment {
        &self.product.environment
    }

    pub fn design(&self) -> Design {
        self.environment().design
    }

    pub fn start(&self) -> World {
        World::new(self.environment().budget)
    }

    pub fn steps(&self, world: &World) -> Vec<(Step, World)> {
        let mut steps = Steps {
            model: self,
            world,
            next: Vec::with_capacity(16),
        };
        for who in 0..self.environment().controllers {
            steps.of_controller(who);
        }
        steps.of_network();
        steps.of_users();
        steps.of_clock();
        steps.next
    }

    pub fn reached(&self, landmark: Landmark) {
        self.landmarks
            .set(self.landmarks.get() | 1 << landmark as u32);
    }

    pub fn has_reached(&self, landmark: Landmark) -> bool {
        self.landmarks.get() & (1 << landmark as u32) != 0
    }
}

impl Steps<'_> {
    pub fn go(&mut self, what: &'static str, who: Option<u8>, next: World) {
        self.push(what, who, None, next);
    }

    /// Adds a step with a fault, if the budget allows it.
    pub fn fail(&mut self, fault: Fault, what: &'static str, who: Option<u8>, mut next: World) {
        if let Some(budget) = self.world.budget.less(fault) {
            next.budget = budget;
            self.push(what, who, Some(fault), next);
        }
    }

    fn push(&mut self, what: &'static str, who: Option<u8>, fault: Option<Fault>, next: World) {
        let mut next = next;
        if !self.model.environment().stale_caches {
            let now = next.read();
            for controller in &mut next.controllers {
                controller.watch(now);
                controller.rereads = false;
            }
        }
        let are_two = self.model.environment().controllers == 2;
        let next = next.canonical(&|evidence| self.model.product.nonce_of(evidence), are_two);
        if next != *self.world {
            self.next.push((Step { what, who, fault }, next));
        }
    }

    /// Whether the budget still allows the fault.
    pub fn may(&self, fault: Fault) -> bool {
        self.world.budget.less(fault).is_some()
    }
}
