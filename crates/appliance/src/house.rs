//! Builds the parts of the box and holds them together.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use roomtone_audio::Pool;
use roomtone_base::{EvidenceSink, IdSource, NoTelemetry, Rng, SharedClock, SystemClock};
use roomtone_desk::{Desk, DeskChannel, tool::Toolbox};
use roomtone_guard::Retention;
use roomtone_hotel::{House as Hotel, Seed};
use roomtone_room::{FrameworkEventType, RoomEngine, Store, Subscription};
use roomtone_sip::{Deps, Endpoint, Refusal};
use roomtone_speech::{
    Grammar, Phrases, STT_ENGINES, SpeechConfig, Stt, TTS_ENGINES, Tts,
    flite::Flite,
    pocketsphinx::{PocketSphinx, PocketSphinxConfig},
};
use roomtone_store::{EvidenceLog, SqliteRoomStore};
use roomtone_voice::{SipBackend, VoiceChannel, VoiceParts, VoiceService};

use crate::config::Loaded;

/// Name of the desk's channel.
pub(crate) const DESK_CHANNEL: &str = "desk";
/// Real-time threads; each serves a hundred calls and more.
const AUDIO_THREADS: usize = 1;
/// From the order to stop until the calls have been told: two seconds less what closing the rest takes.
const GOODBYE: Duration = Duration::from_millis(1_600);

/// The running box.
pub(crate) struct House {
    pub(crate) endpoint: Endpoint,
    pub(crate) voice: VoiceService,
    pub(crate) desk: Arc<Desk>,
    pub(crate) engine: RoomEngine,
    pub(crate) pool: Arc<Pool>,
    phrases: Arc<Phrases>,
    evidence: Arc<EvidenceLog>,
    speech: SpeechConfig,
    _retired: Subscription,
}

/// Loads the desk with the tools of its trade.
pub(crate) fn load_desk(loaded: &Loaded) -> Result<Desk> {
    let config = &loaded.config.desk;
    let path = loaded.path(&config.path);
    let mut desk = Desk::open(&path, &roomtone_hotel::specs())
        .with_context(|| format!("the desk in {}", path.display()))?;
    if !desk.begin_in(&config.language) {
        let live = desk.languages().join(", ");
        return Err(loaded
            .mistake(
                "desk",
                "language",
                format!("the desk speaks {live}, not {:?}", config.language),
            )
            .into());
    }
    Ok(desk)
}

/// Reads what the hotel's store is filled with.
pub(crate) fn load_seed(loaded: &Loaded) -> Result<Seed> {
    let path = loaded.path(&loaded.config.hotel.seed);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("[hotel] seed: {} cannot be read", path.display()))?;
    Seed::parse(&text).with_context(|| path.display().to_string())
}

/// The recogniser's settings.
pub(crate) fn ears(speech: &SpeechConfig, desk: &Desk, state: &Path) -> Result<PocketSphinxConfig> {
    if speech.stt != "pocketsphinx" {
        return Err(roomtone_speech::Error::NoSuchEngine {
            kind: "stt",
            name: speech.stt.clone(),
            known: STT_ENGINES,
        }
        .into());
    }
    Ok(PocketSphinxConfig {
        model: speech.model.clone(),
        scratch: state.join("models"),
        decoders: speech.cores * 2,
        pronunciations: desk.pronunciations("en").into_iter().collect(),
    })
}

/// The voice's engine, with the voice loaded.
pub(crate) fn mouth(speech: &SpeechConfig) -> Result<Arc<dyn Tts>> {
    if speech.tts != "flite" {
        return Err(roomtone_speech::Error::NoSuchEngine {
            kind: "tts",
            name: speech.tts.clone(),
            known: TTS_ENGINES,
        }
        .into());
    }
    let flite = Flite::new()?;
    flite.warm(&speech.voice)?;
    Ok(Arc::new(flite))
}

impl House {
    /// Builds everything and begins to answer calls.
    pub(crate) async fn open(loaded: &Loaded, state: &Path) -> Result<House> {
        let clock: SharedClock = SystemClock::shared();
        let ids = IdSource::new(clock.clone(), Rng::from_entropy());
        std::fs::create_dir_all(state).with_context(|| format!("the state folder {}", state.display()))?;
        let config = &loaded.config;
        let desk = Arc::new(load_desk(loaded)?);

        // The recogniser takes a third of a second to load: meanwhile the rest is opened.
        let (speech, ears_config) = (config.speech.clone(), ears(&config.speech, &desk, state)?);
        let (grammars, stt_clock) = (desk.grammars(), clock.clone());
        let loading = tokio::task::spawn_blocking(move || -> Result<(Arc<dyn Stt>, Arc<dyn Tts>)> {
            let tts = mouth(&speech)?;
            let stt = PocketSphinx::new(ears_config, stt_clock)?;
            for (_, grammar) in &grammars {
                stt.prepare(grammar)?;
            }
            Ok((Arc::new(stt), tts))
        });

        let evidence = Arc::new(EvidenceLog::open(state.join("audit.db"))?);
        let sink: Arc<dyn EvidenceSink> = evidence.clone();
        let store: Arc<dyn Store> = Arc::new(SqliteRoomStore::open(state.join("rooms.db"))?);
        let retention = Retention::new(store.clone(), clock.clone(), config.privacy.clone());
        let engine = RoomEngine::builder(clock.clone(), ids.clone(), store)
            .evidence(sink.clone())
            .build()?;
        let retired = forget_when_ended(&engine, &retention);
        tokio::spawn(retention.keep_watch());
        let now = clock.now().to_zoned(desk.zone().clone());
        let hotel = Hotel::open(&state.join("hotel.db"), &load_seed(loaded)?, &now).await?;
        let mut tools = Toolbox::new(clock.clone());
        for tool in roomtone_hotel::tools(&hotel) {
            tools = tools.with(tool);
        }
        let answers = Arc::new(DeskChannel::new(
            DESK_CHANNEL.into(),
            desk.clone(),
            tools,
            clock.clone(),
            sink.clone(),
        ));
        engine.register_channel(answers.clone())?;

        let (stt, tts) = loading
            .await
            .map_err(|e| anyhow!("loading the speech engines: {e}"))??;
        let phrases = Arc::new(Phrases::new(tts, state.join("phrases")));
        let pool = Arc::new(Pool::new(AUDIO_THREADS, &clock)?);
        let parts = VoiceParts {
            clock: clock.clone(),
            ids: ids.clone(),
            engine: engine.clone(),
            pool: pool.clone(),
            stt,
            tts: phrases.clone(),
            voice: config.speech.voice.clone(),
            context: answers,
            desk: DESK_CHANNEL.into(),
            evidence: sink.clone(),
            telemetry: Arc::new(NoTelemetry),
            config: config.voice.clone(),
        };
        let voice = VoiceService::new(parts, VoiceChannel::new())?;
        // The port last: whoever gets an answer gets all of it.
        let (endpoint, incoming) = Endpoint::bind(
            config.sip.clone(),
            Deps {
                clock,
                ids,
                evidence: sink,
            },
        )
        .await?;
        voice.serve(Box::new(SipBackend::new(incoming)));
        Ok(House {
            endpoint,
            voice,
            desk,
            engine,
            pool,
            phrases,
            evidence,
            speech: config.speech.clone(),
            _retired: retired,
        })
    }

    /// Makes the phrases that the desk says again and again, in the background; does not wait.
    pub(crate) fn keep_phrases(&self, closing: &str) {
        let (phrases, voice) = (self.phrases.clone(), self.speech.voice.clone());
        let texts: Vec<String> = self
            .desk
            .prompts_for_cache()
            .iter()
            .map(|(_, text)| text.as_str())
            .chain([closing])
            .flat_map(roomtone_lang::sentences)
            .collect();
        std::thread::spawn(move || {
            let mut made = 0;
            for text in &texts {
                match phrases.keep(text, &voice) {
                    Ok(new) => made += usize::from(new),
                    Err(error) => tracing::warn!(target: "roomtone", %error, "a phrase cannot be prepared"),
                }
            }
            tracing::info!(target: "roomtone", phrases = texts.len(), made, "phrases are ready");
        });
    }

    /// Says goodbye to the callers and closes everything, within two seconds.
    pub(crate) async fn close(self) {
        self.endpoint.refuse_new(Some(Refusal {
            code: 503,
            reason: "closing".to_owned(),
        }));
        self.voice.close(GOODBYE).await;
        self.endpoint.close().await;
        self.engine.close().await;
        self.evidence.flush().await;
        if self.evidence.lost() > 0 {
            tracing::error!(target: "roomtone", lost = self.evidence.lost(), "evidence could not be written");
        }
    }
}

/// Tells `retention` of every room that closes, for as long as the subscription lives.
fn forget_when_ended(engine: &RoomEngine, retention: &Retention) -> Subscription {
    let retention = retention.clone();
    engine.subscribe(vec![FrameworkEventType::RoomClosed], move |event| {
        let (retention, room) = (retention.clone(), event.room_id.clone());
        tokio::spawn(async move {
            if let Some(room) = room
                && let Err(error) = retention.ended(&room).await
            {
                tracing::error!(target: "roomtone::guard", %room, %error, "a conversation could not be deleted");
            }
        });
    })
}

/// Words of the desk's grammars that the recogniser cannot hear.
pub(crate) fn unheard_words(
    config: &PocketSphinxConfig,
    grammars: &[(String, Arc<Grammar>)],
) -> Result<Vec<String>> {
    let dictionary = PocketSphinx::dictionary(config)?;
    let mut words: Vec<String> = grammars
        .iter()
        .flat_map(|(_, g)| PocketSphinx::unknown_words(&dictionary, g))
        .collect();
    words.sort_unstable();
    words.dedup();
    Ok(words)
}
