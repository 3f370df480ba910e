//! Loudness of spoken sound.

/// Level that every voice is brought to, dBFS of its speech: loud on a telephone, with room for peaks.
pub const TARGET_DBFS: f32 = -20.0;
/// Windows quieter than this are no speech, dBFS.
const QUIET_DBFS: f32 = -45.0;
/// 10 ms at 16 kHz.
const WINDOW: usize = 160;

/// Level of the speech in 16 kHz `samples`, dBFS, pauses left out; `None` if there is no speech.
pub fn speech_level(samples: &[i16]) -> Option<f32> {
    let quiet = power_of(QUIET_DBFS);
    let loud: Vec<f64> = samples.chunks(WINDOW).map(power).filter(|p| *p > quiet).collect();
    if loud.is_empty() {
        return None;
    }
    let mean = loud.iter().sum::<f64>() / loud.len() as f64;
    Some((10.0 * mean.log10()) as f32)
}

/// Index of the first sample of the first window that is no silence; the length if all is.
pub fn first_sound(samples: &[i16]) -> usize {
    let quiet = power_of(QUIET_DBFS);
    let window = samples.chunks(WINDOW).position(|w| power(w) > quiet);
    window.map_or(samples.len(), |w| w * WINDOW)
}

/// Index after the last window that is no silence; 0 if all is.
pub fn last_sound(samples: &[i16]) -> usize {
    let quiet = power_of(QUIET_DBFS);
    let window = samples.chunks(WINDOW).rposition(|w| power(w) > quiet);
    window.map_or(0, |w| ((w + 1) * WINDOW).min(samples.len()))
}

/// Multiplies by `gain`, clipped.
pub fn amplify(samples: &mut [i16], gain: f32) {
    for sample in samples {
        *sample = (f32::from(*sample) * gain).clamp(-32_768.0, 32_767.0) as i16;
    }
}

/// The linear gain that brings speech at `level` dBFS to [`TARGET_DBFS`].
pub fn gain_for(level: f32) -> f32 {
    10f32.powf((TARGET_DBFS - level) / 20.0).clamp(0.1, 10.0)
}

fn power(window: &[i16]) -> f64 {
    let sum: f64 = window.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    sum / window.len().max(1) as f64 / (32_768.0 * 32_768.0)
}

fn power_of(dbfs: f32) -> f64 {
    10f64.powf(f64::from(dbfs) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let mut samples = vec![0i16; 16_000];
        samples[4_000..8_000].fill(3_277);
        let level = speech_level(&samples).unwrap();
        assert!((level + 20.0).abs() < 0.1, "{level}");
        assert_eq!((first_sound(&samples), last_sound(&samples)), (4_000, 8_000));
        assert_eq!(speech_level(&[0; 1_000]), None);
    }
}
