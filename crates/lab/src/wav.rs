//! Sound files: any WAV in, 8 kHz mono out.

use std::path::Path;

use crate::Error;

/// Rate of telephone sound, Hz.
pub const RATE: u32 = 8_000;
/// Zero crossings of the resampling filter to each side: about 60 dB against what would fold back.
const CROSSINGS: f64 = 12.0;

/// Reads a WAV file of any rate, mono or stereo (channels are averaged), as 8 kHz mono.
///
/// # Errors
/// [`Error::Wav`] if the file is not there or no WAV.
pub fn read(path: &Path) -> Result<Vec<i16>, Error> {
    let fault = |source| Error::Wav {
        path: path.to_owned(),
        source,
    };
    let mut reader = hound::WavReader::open(path).map_err(fault)?;
    let spec = reader.spec();
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(fault)?,
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1_i64 << (spec.bits_per_sample - 1)) as f32;
            let read: Result<Vec<i32>, _> = reader.samples::<i32>().collect();
            read.map_err(fault)?
                .into_iter()
                .map(|s| s as f32 * scale)
                .collect()
        }
    };
    let channels = usize::from(spec.channels.max(1));
    let mono: Vec<f32> = samples
        .chunks(channels)
        .map(|c| c.iter().sum::<f32>() / c.len() as f32)
        .collect();
    Ok(resample(&mono, spec.sample_rate, RATE)
        .into_iter()
        .map(to_i16)
        .collect())
}

/// Writes 8 kHz mono, 16 bit.
///
/// # Errors
/// [`Error::Wav`] if the file cannot be written.
pub fn write(path: &Path, samples: &[i16]) -> Result<(), Error> {
    let fault = |source| Error::Wav {
        path: path.to_owned(),
        source,
    };
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).map_err(fault)?;
    for s in samples {
        writer.write_sample(*s).map_err(fault)?;
    }
    writer.finalize().map_err(fault)
}

fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// Windowed-sinc resampling; not fast, for files only.
fn resample(input: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to || from == 0 || input.is_empty() {
        return input.to_vec();
    }
    let step = f64::from(from) / f64::from(to);
    // Cut off at the lower of the two Nyquist frequencies.
    let cutoff = (1.0 / step).min(1.0);
    let reach = CROSSINGS / cutoff;
    let len = (input.len() as f64 / step).floor() as usize;
    let tap = |t: f64| {
        let x = t * cutoff * std::f64::consts::PI;
        let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
        let window = 0.5 + 0.5 * (std::f64::consts::PI * t / reach).cos();
        cutoff * sinc * window
    };
    let one = |n: usize| {
        let centre = n as f64 * step;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(input.len() - 1);
        (first..=last)
            .map(|k| f64::from(input[k]) * tap(k as f64 - centre))
            .sum::<f64>() as f32
    };
    (0..len).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f32, seconds: f32) -> Vec<f32> {
        let n = (rate as f32 * seconds) as usize;
        (0..n)
            .map(|i| 0.5 * (std::f32::consts::TAU * hz * i as f32 / rate as f32).sin())
            .collect()
    }

    fn rms(x: &[f32]) -> f32 {
        (x.iter().map(|s| s * s).sum::<f32>() / x.len() as f32).sqrt()
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let sound: Vec<i16> = (0..4_000).map(|i| (i * 7) as i16).collect();
        write(&path, &sound).unwrap();
        assert_eq!(read(&path).unwrap(), sound);
    }

    #[test]
    fn other_rates_and_stereo_become_8_khz_mono() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut w = hound::WavWriter::create(&path, spec).unwrap();
        for s in tone(44_100, 440.0, 0.5) {
            w.write_sample((s * 8_388_607.0) as i32).unwrap();
            w.write_sample((s * 8_388_607.0) as i32).unwrap();
        }
        w.finalize().unwrap();
        let got: Vec<f32> = read(&path)
            .unwrap()
            .iter()
            .map(|s| f32::from(*s) / 32_768.0)
            .collect();
        assert_eq!(got.len(), 4_000);
        let want = tone(8_000, 440.0, 0.5);
        let error: Vec<f32> = got
            .iter()
            .zip(&want)
            .skip(100)
            .take(3_800)
            .map(|(a, b)| a - b)
            .collect();
        assert!(rms(&error) < 0.003, "{}", rms(&error));
    }

    #[test]
    fn what_would_fold_back_is_gone() {
        let got = resample(&tone(48_000, 6_000.0, 0.2), 48_000, 8_000);
        assert!(rms(&got[100..1_400]) < 0.005, "{}", rms(&got[100..1_400]));
    }

    #[test]
    fn a_missing_file_has_a_remedy() {
        let e = read(Path::new("nowhere.wav")).unwrap_err();
        assert!(roomtone_base::Remedy::remedy(&e).is_some());
    }
}
