//! Chance that falls the same on every machine.
//!
//! *In*: a seed and the number of a stream. *Out*: the same numbers everywhere. The generator is written out (SplitMix64, Steele,
//! Lea and Flood 2014) because a crate's may change its stream between versions, and the bytes of a simulation with it.

/// A stream of chance.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of that number under a seed; streams do not depend on one another.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        Self(dice.bits() ^ seed)
    }
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Uniform in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
    /// One of `0..n`; 0 where there is none.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }
    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
    /// Mean 0, standard deviation 1, bell-shaped within 3.5: the sum of four uniforms, which needs no logarithm.
    pub fn bell(&mut self) -> f64 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|k| (bits >> (16 * k)) & 0xffff).sum();
        (sum as f64 / 65_536.0 - 2.0) * 1.732_050_807_568_877_2
    }
}
