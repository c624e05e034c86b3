// Everything that people read, in Turkish and English.
const words = {
  tr: {
    live: "Canlı", calls: "Çağrılar", directory: "Rehber", operations: "İşletim", liveCalls: "Süren çağrılar", recentCalls: "Son çağrılar",
    nothingLive: "Şu anda süren çağrı yok.", nothingYet: "Henüz çağrı yok.", caller: "Arayan", called: "Aranan", state: "Durum", since: "Başlangıç", started: "Başlangıç",
    turns: "Söz sırası", lastHeard: "Son duyulan", lastSaid: "Son söylenen", ended: "Bitiş nedeni", talk: "Konuşma", quality: "Ses kalitesi (MOS)",
    transcript: "Döküm", recording: "Ses kaydı", ladder: "SIP akışı", timeline: "Zaman çizelgesi", latency: "Yanıt süreleri", events: "Olaylar",
    record: "Çağrı kaydı (CDR)", why: "Yönlendirme gerekçesi", left: "Sol: arayan, sağ: asistan", noRecording: "Bu çağrının ses kaydı yok.",
    login: "Giriş", key: "API anahtarı", open: "Aç", badKey: "Bu anahtar tanınmıyor.", hangUp: "Çağrıyı bitir", transfer: "Aktar", transferTo: "Hangi numaraya aktarılsın?", capture: "Wireshark için indir (pcap)", transferredTo: "Aktarıldığı numara", trunk: "Hat", notDialled: "Aranmadı (ücret kuralı)",
    requested: "istendi", dialled: "aranıyor", transferred: "aktarıldı", confidence: "güven",
    beside: "Canlı dinleme", listen: "Dinle", listenOnly: "Yalnız dinle", whisper: "Fısılda", join: "Katıl", stopListening: "Bırak", connecting: "Bağlanıyor…",
    listenSays: "İki tarafı da duyuyorsunuz; sizi kimse duymuyor.", whisperSays: "Sizi yalnız görevli duyuyor.", joinSays: "Sizi herkes duyuyor.",
    agent: "Asistan", answered: "Yanıtlandı", today: "Bugünkü çağrılar", averageTalk: "Ortalama konuşma", now: "Şu anda", users: "Kullanıcılar",
    routes: "Yönlendirmeler", projections: "Okuma modelleri", rebuild: "Yeniden kur", name: "Ad", type: "Tür", contacts: "İletişim", number: "Numara",
    plan: "Plan", position: "Konum", lag: "Gecikme", total: "toplam", endOfSpeech: "söz sonu", recognize: "tanıma", think: "düşünme", speak: "seslendirme",
    failed: "Bir şey ters gitti", cutOff: "sözü kesildi", articles: "Bilgi bankası", connected: "Canlı bağlantı açık", disconnected: "Canlı bağlantı kapalı",
    store: "Olay deposu", rate: "Dakikada yazılan olay, son bir saat", shards: "Okuma modelleri ve abonelikler", parkedEvents: "Park edilmiş olaylar", eventTypes: "Olay türleri",
    tables: "Tablolar", liveTail: "Canlı akış", streams: "Akış", tenants: "Kiracı", lastMinute: "Son dakika", lastHour: "Son saat", highWater: "Kesinleşen konum", holes: "Boş numara",
    appendQueue: "Yazma kuyruğu", size: "Boyut", behind: "Geride", lagTrend: "Gecikmenin seyri", parked: "Park", pause: "Duraklat", resume: "Sürdür", retry: "Yeniden dene", discard: "Sil",
    parkedAt: "Park edildi", reason: "Neden", table: "Tablo", rows: "Satır", data: "Veri", indexes: "Dizinler", filterType: "Tür süzgeci", degraded: "Dikkat", unhealthy: "Arıza",
    running: "çalışıyor", rebuilding: "yeniden kuruluyor", paused: "duraklatıldı", standingby: "bekliyor", stopped: "durdu", retrying: "yeniden deniyor", minuteShort: "dk", hourShort: "sa",
    phones: "Telefonlar", extensions: "Dahili", extension: "Dahili", registeredPhones: "Kayıtlı telefon", registered: "kayıtlı", not_registered: "kayıtlı değil", allPhones: "hepsi",
    address: "Adres", source: "Geldiği yer", userAgent: "Cihaz", registeredFor: "Kayıt süresi", timeLeft: "Kalan süre", dayShort: "g", userDisabled: "kullanıcı kapalı", otherRealm: "parola başka alan için:",
    throwOut: "Kaydı sil", throwOutSure: "Telefonun kaydı hemen silinecek; açık olan bir telefon bir sonraki REGISTER ile geri gelir. Silinsin mi?",
    noExtensions: "Henüz parolası olan dahili yok. Parola, PUT /v1/users/ID/sip-credentials/REALM/AD ile verilir.", nobodyMissing: "Parolası olan her dahilinin kayıtlı bir telefonu var.",
    nobodyRegistered: "Kayıtlı telefon yok. “kayıtlı değil” seçeneği bekleyen dahilileri gösterir.", morePhones: "İlk 500 dahili gösteriliyor; hepsi için: sentiric phones list --limit N",
    audit: "Denetim", verify: "Günlüğü doğrula", verifying: "Doğrulanıyor:", verifyWhat: "Saklanan her olay imzalanmış geçmişle karşılaştırılır; silinenler, kimin emrettiğiyle birlikte listelenir.",
    verifyBroke: "Doğrulama sonuç vermeden kesildi; sunucunun günlüğü nedenini söyler.", asSigned: "imzalandığı gibi", notAsSigned: "İMZALANDIĞI GİBİ DEĞİL, bulgu:", eventsCompared: "olay karşılaştırıldı", notYetSigned: "olay henüz imzasız",
    removals: "Silinen ve dosyaya taşınan olaylar", nothingRemoved: "Hiçbir olay silinmemiş.", upToVersion: "Sürüme kadar", removedAt: "Zaman", removedBy: "Kim", whoOrdered: "Emir",
    order_ordered: "emirli", order_ordered_means: "platformun anahtarı emretti", order_before_orders: "ilk emirden önce", order_before_orders_means: "kimin emrettiği gösterilemez: bilmeniz gerekir",
    order_not_ordered: "EMİRSİZ", order_not_ordered_means: "platformun hiçbir anahtarı buna kefil değil", recordSigned: "kayıt imzalandı:", recordNotSigned: "kayıt henüz imzasız",
    packets: "Paketler: kayıp ve titreme", loss: "kayıp", jitter: "titreme", language: "English", talking: "konuşuyor", ringing: "çalıyor", received: "geldi", heard: "Duyulan", said: "Yanıt", question: "Sorular", answer: "Yanıt",
  },
  en: {
    live: "Live", calls: "Calls", directory: "Directory", operations: "Operations", liveCalls: "Calls that are up", recentCalls: "Recent calls",
    nothingLive: "No call is up right now.", nothingYet: "No calls yet.", caller: "Caller", called: "Called", state: "State", since: "Since", started: "Started",
    turns: "Turns", lastHeard: "Last heard", lastSaid: "Last said", ended: "Ended", talk: "Talk time", quality: "Speech quality (MOS)",
    transcript: "Transcript", recording: "Recording", ladder: "SIP ladder", timeline: "Timeline", latency: "Answer times", events: "Events",
    record: "Call detail record", why: "Why this route", left: "Left: caller, right: assistant", noRecording: "This call has no recording.",
    login: "Sign in", key: "API key", open: "Open", badKey: "No such key.", hangUp: "End call", transfer: "Transfer", transferTo: "Transfer to which number?", capture: "Download for Wireshark (pcap)", transferredTo: "Transferred to", trunk: "Trunk", notDialled: "Not dialled (toll rule)",
    requested: "requested", dialled: "dialled", transferred: "transferred", confidence: "confidence",
    beside: "Beside the call", listen: "Listen", listenOnly: "Only listen", whisper: "Whisper", join: "Join", stopListening: "Leave", connecting: "Connecting…",
    listenSays: "You hear both sides; nobody hears you.", whisperSays: "Only the person of ours hears you.", joinSays: "Everybody hears you.",
    agent: "Assistant", answered: "Answered", today: "Calls today", averageTalk: "Average talk", now: "Right now", users: "Users",
    routes: "Routes", projections: "Read models", rebuild: "Rebuild", name: "Name", type: "Type", contacts: "Contacts", number: "Number",
    plan: "Plan", position: "Position", lag: "Lag", total: "total", endOfSpeech: "end of speech", recognize: "recognise", think: "think", speak: "speak",
    failed: "Something went wrong", cutOff: "was cut off", articles: "Knowledge", connected: "Live connection is open", disconnected: "Live connection is closed",
    store: "Event store", rate: "Events per minute, the last hour", shards: "Read models and subscriptions", parkedEvents: "Parked events", eventTypes: "Event types",
    tables: "Tables", liveTail: "Live tail", streams: "Streams", tenants: "Tenants", lastMinute: "Last minute", lastHour: "Last hour", highWater: "High-water mark", holes: "Dead numbers",
    appendQueue: "Append queue", size: "Size", behind: "Behind", lagTrend: "Lag over time", parked: "Parked", pause: "Pause", resume: "Resume", retry: "Retry", discard: "Discard",
    parkedAt: "Parked", reason: "Reason", table: "Table", rows: "Rows", data: "Data", indexes: "Indexes", filterType: "Filter by type", degraded: "Attention", unhealthy: "Failure",
    running: "running", rebuilding: "rebuilding", paused: "paused", standingby: "standing by", stopped: "stopped", retrying: "retrying", minuteShort: "min", hourShort: "h",
    phones: "Telephones", extensions: "Extensions", extension: "Extension", registeredPhones: "Registered telephones", registered: "registered", not_registered: "not registered", allPhones: "all",
    address: "Address", source: "Comes from", userAgent: "Device", registeredFor: "Registered for", timeLeft: "Time left", dayShort: "d", userDisabled: "user disabled", otherRealm: "password is for realm",
    throwOut: "Throw out", throwOutSure: "The registration goes at once; a telephone that is on comes back with its next REGISTER. Throw it out?",
    noExtensions: "No extension has a password yet. PUT /v1/users/ID/sip-credentials/REALM/NAME sets one.", nobodyMissing: "Every extension with a password has a registered telephone.",
    nobodyRegistered: "No telephone is registered. “not registered” shows the extensions that wait for one.", morePhones: "The first 500 extensions are shown; all of them: sentiric phones list --limit N",
    audit: "Audit", verify: "Verify the log", verifying: "Verifying:", verifyWhat: "Every stored event is compared with the signed history; what was removed is listed with who ordered it.",
    verifyBroke: "The verification broke off without a verdict; the server's log says why.", asSigned: "as it was signed", notAsSigned: "NOT AS IT WAS SIGNED, findings:", eventsCompared: "events compared", notYetSigned: "events not signed yet",
    removals: "Events that were removed or moved into files", nothingRemoved: "No event was removed.", upToVersion: "Up to version", removedAt: "When", removedBy: "By", whoOrdered: "Order",
    order_ordered: "ordered", order_ordered_means: "a key of the platform ordered it", order_before_orders: "before the first order", order_before_orders_means: "nobody is shown to have ordered it: you must know it",
    order_not_ordered: "NOT ORDERED", order_not_ordered_means: "no key of the platform vouches for it", recordSigned: "record signed", recordNotSigned: "record not signed yet",
    packets: "Packets: loss and jitter", loss: "loss", jitter: "jitter", language: "Türkçe", talking: "talking", ringing: "ringing", received: "received", heard: "Heard", said: "Said", question: "Questions", answer: "Answer",
  },
};

let current = localStorage.getItem("language") ?? (navigator.language.startsWith("tr") ? "tr" : "en");
export const language = () => current;
export const locale = () => (current === "tr" ? "tr-TR" : "en-GB");
export const w = (key) => words[current][key] ?? key;
export function switchLanguage() {
  current = current === "tr" ? "en" : "tr";
  localStorage.setItem("language", current);
  document.documentElement.lang = current;
}
