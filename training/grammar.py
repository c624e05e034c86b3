"""General Turkish: a small grammar of inflected nouns and verbs.

Sentences are grammatical rather than sensible. They are there so that the acoustic model meets every
letter in many neighbourhoods and does not merely learn the phrase forms by heart.
"""
from phrases import CITIES, DAYS, HOURS_AT, MONTHS, NAMES, SURNAMES
from turkish import digits, normalise, number, suffix

# A trailing * marks a last consonant that is voiced before a vowel (kitap*, kitabı).
NOUNS = """ev araba okul bahçe deniz kapı pencere masa sandalye defter kalem kitap* çocuk* anne baba kardeş arkadaş komşu
öğretmen doktor hemşire müdür garson şoför çiftçi polis asker avukat* mühendis oyuncu yazar ressam dükkan market fırın
eczane hastane banka postane kütüphane müze sinema tiyatro stadyum havaalanı otobüs tren uçak* vapur bisiklet kamyon
yol köprü sokak* cadde meydan park orman dağ göl nehir ırmak* ada sahil kum taş toprak* ağaç* çiçek* yaprak* dal meyve
elma armut* üzüm kiraz çilek* karpuz kavun portakal limon domates biber patlıcan soğan sarımsak* patates havuç* ıspanak*
ekmek* peynir zeytin yumurta süt yoğurt* tereyağ bal reçel çay kahve su ayran şeker tuz çorba pilav makarna köfte balık*
tavuk* kuzu inek* koyun keçi at köpek* kedi kuş güvercin serçe kartal aslan kaplan fil zürafa maymun yılan kaplumbağa
gömlek* pantolon etek* elbise ceket* kazak* çorap* ayakkabı şapka eldiven gözlük* saat yüzük* kolye çanta cüzdan anahtar
telefon bilgisayar ekran tuş fare yazıcı kağıt* zarf mektup* pul gazete dergi haber resim fotoğraf film şarkı müzik* gitar
piyano davul oyun top maç takım hakem yarış ödül sınav ders soru cevap* ödev sınıf tahta tebeşir silgi cetvel harita
dünya güneş ay yıldız gökyüzü bulut* yağmur kar rüzgar fırtına şimşek* sis buz ateş duman ışık* gölge renk* ses koku
tat* el ayak* baş saç* göz kulak* burun ağız diş dil boyun omuz kol parmak* tırnak* diz kalp* kan kemik* deri ilaç* hap*
reçete iğne yara ağrı hastalık* sağlık* nefes uyku rüya düşünce fikir söz kelime cümle hikaye masal şiir roman sayfa
zaman gün hafta yıl sabah akşam gece öğle bayram düğün doğum yaş isim soyad adres numara şehir köy kasaba mahalle ilçe
ülke bayrak* devlet* kanun hak suç* ceza para lira kuruş fiyat* ücret* borç* fatura makbuz indirim kampanya müşteri sipariş
kargo paket* kutu torba şişe bardak* tabak* çatal kaşık* bıçak* tencere tava fırın ocak* buzdolabı çamaşır bulaşık* havlu
sabun tarak* fırça ayna halı perde yastık* yorgan battaniye yatak* dolap* raf çekmece lamba fiş priz kablo pil makas çekiç
çivi vida testere boya merdiven çatı duvar tavan zemin bodrum balkon koridor asansör kiracı emlak* sözleşme imza belge
dosya rapor toplantı proje iş görev maaş patron memur işçi sendika ihracat* üretim fabrika makine motor benzin lastik*
fren direksiyon trafik* kaza sigorta ehliyet* yolcu bilet* bavul pasaport* otel oda tatil plaj güneşlik turist rehber""".split()

ADJECTIVES = """büyük küçük uzun kısa yüksek alçak geniş dar kalın ince ağır hafif sıcak soğuk ılık yeni eski genç yaşlı güzel
çirkin iyi kötü zor kolay hızlı yavaş temiz kirli dolu boş açık kapalı zengin fakir mutlu üzgün kızgın yorgun aç tok hasta
sağlam kırık bozuk ucuz pahalı tatlı acı ekşi tuzlu taze bayat kırmızı mavi yeşil sarı beyaz siyah mor turuncu pembe gri
kahverengi yumuşak sert kuru ıslak parlak mat sessiz gürültülü önemli gerekli özel genel ilginç sıkıcı komik ciddi çalışkan
tembel akıllı cesur korkak dürüst nazik kaba meşhur yabancı yerli uzak yakın derin sığ düz eğri yuvarlak keskin""".split()

# stem, aorist suffix; a trailing * marks a stem voiced before a vowel (git*, gidiyor).
VERBS = [tuple(v.split(":")) for v in """gel:Ir al:Ir ver:Ir gör:Ir bil:Ir bul:Ir kal:Ir ol:Ir öl:Ir var:Ir vur:Ir dur:Ir git*:Ar et*:Ar
yap:Ar yaz:Ar aç:Ar kaç:Ar seç:Ar geç:Ar iç:Ar kes:Ar çek:Ar bak:Ar yak:Ar kalk:Ar kork:Ar tut:Ar sat:Ar at:Ar çiz:Ar sev:Ar
sor:Ar kur:Ar bin:Ar in:Ar giy:Ar duy:Ar koy:Ar say:Ar çöz:Ar gül:Ar böl:Ar sil:Ar as:Ar bas:Ar oku:r uyu:r yürü:r ara:r ağla:r
başla:r anla:r dinle:r bekle:r söyle:r özle:r temizle:r hazırla:r topla:r sakla:r düzenle:r gönder:Ir öğren:Ir
öğret:Ir çalış:Ir konuş:Ir tanış:Ir buluş:Ir anlat:Ir unut:Ir kapat:Ir göster:Ir getir:Ir götür:Ir bitir:Ir değiştir:Ir
düşün:Ur kullan:Ir kazan:Ir uzan:Ir bağır:Ir çağır:Ir ayır:Ir pişir:Ir taşı:r yaşa:r kır:Ar kaydet*:Ar affet*:Ar seyret*:Ar
ertele:r iste:r de:r ye:r iptal_et*:Ar kabul_et*:Ar yardım_et*:Ar teklif_et*:Ar telefon_et*:Ar devam_et*:Ar ziyaret_et*:Ar""".split()]

PRONOUNS = ["ben", "sen", "o", "biz", "siz", "onlar"]
_PERSON_Z = ["(y)Im", "sIn", "", "(y)Iz", "sInIz", "lAr"]
_PERSON_K = ["m", "n", "", "k", "nIz", "lAr"]
_PERSON_NEGATIVE_AORIST = ["mAm", "mAzsIn", "mAz", "mAyIz", "mAzsInIz", "mAzlAr"]

TIMES = """bugün yarın dün şimdi sonra önce az_önce birazdan hemen her_gün bazen hiç_bir_zaman geçen_hafta gelecek_ay sabahları
akşamları geceleri öğleden_sonra hafta_sonu yazın kışın bu_sabah bu_akşam dün_gece iki_gün_sonra üç_yıl_önce sık_sık nihayet""".split()
MANNERS = """yavaşça hızlıca dikkatle sessizce mutlaka belki galiba çok biraz pek asla gerçekten sadece tekrar yine birlikte
yalnız beraber aniden kolayca zorla güzelce gizlice çabucak genellikle özellikle maalesef neyse_ki""".split()
LINKS = "ve ama fakat çünkü sonra ya_da ayrıca oysa yani hem".split()
QUESTIONS = "neden nasıl ne_zaman nerede nereye nereden kim kiminle hangi kaç_tane ne_kadar niçin niye kaçıncı".split()
POSTPOSITIONS = "için ile gibi kadar hakkında yüzünden sayesinde".split()


def sentence(random):
    """One normalised sentence, phrase or word list."""
    maker = random.choices(
        [_clause, _two_clauses, _noun_phrase, _question, _existence, _predicate, _words, _figures],
        [30, 6, 14, 12, 8, 12, 10, 8])[0]
    return normalise(maker(random))


def _clause(random):
    person = random.randrange(6)
    parts = []
    if random.random() < 0.4:
        parts.append(random.choice(TIMES))
    if random.random() < 0.4:
        parts.append(PRONOUNS[person] if person != 2 else _subject(random))
    if random.random() < 0.35:
        parts.append(_noun(random, random.choice(["DA", "DAn", "(y)A"])))
    if random.random() < 0.65:
        parts.append((random.choice(ADJECTIVES) + " " if random.random() < 0.35 else "") + _noun(random, "(y)I"))
    if random.random() < 0.2:
        parts.append(random.choice(MANNERS))
    parts.append(verb(random, person))
    return _spaced(parts)


def _two_clauses(random):
    return _spaced([_clause(random), random.choice(LINKS), _clause(random)])


def _subject(random):
    return random.choice(NAMES) if random.random() < 0.5 else _noun(random)


def _noun(random, *case):
    word = random.choice(NOUNS)
    soften, word = word.endswith("*"), word.rstrip("*")
    kind = random.random()
    if kind < 0.2:
        return suffix(word, "lAr", *case, soften=soften)
    if kind < 0.4:
        possessive = random.choice(["(I)m", "(I)n", "(I)mIz", "(I)nIz"])
        return suffix(word, possessive, *case, soften=soften)
    return suffix(word, *case, soften=soften)


def verb(random, person):
    """A verb form for a person (0 ben ... 5 onlar), maybe negative, able or wishing."""
    stem, aorist = random.choice(VERBS)
    soften, stem = stem.endswith("*"), stem.rstrip("*").replace("_", " ")
    negative = random.random() < 0.25
    if not negative and random.random() < 0.12:
        return suffix(stem, "mAk", soften=False) + " " + random.choice(["istiyorum", "istiyoruz", "istemiyorum", "zorundayım", "üzereyim", "lazım"])
    if not negative and random.random() < 0.15:
        stem, soften, aorist = suffix(stem, "(y)Abil", soften=soften), False, "Ir"
    tense = random.choice(["iyor", "iyor", "di", "di", "acak", "acak", "miş", "aorist", "meli", "sa", "iyordu"])
    if tense == "aorist":
        return suffix(stem, _PERSON_NEGATIVE_AORIST[person]) if negative else suffix(stem, aorist.replace("U", "I"), _PERSON_Z[person], soften=soften)
    if tense in ("iyor", "iyordu"):
        base = suffix(stem, "m") if negative else (stem[:-1] if stem[-1] in "aeıiuü" else stem)
        base = suffix(base, "I", soften=soften and not negative) + "yor"
        return suffix(base, _PERSON_Z[person]) if tense == "iyor" else suffix(base, "DI", _PERSON_K[person])
    if negative:
        stem, soften = suffix(stem, "mA"), False
    if tense == "di":
        return suffix(stem, "DI", _PERSON_K[person])
    if tense == "miş":
        return suffix(stem, "mIş", _PERSON_Z[person])
    if tense == "meli":
        return suffix(stem, "mAlI", _PERSON_Z[person])
    if tense == "sa":
        return suffix(stem, "sA", _PERSON_K[person])
    future = suffix(stem, "(y)AcAk", soften=soften)
    return suffix(future, _PERSON_Z[person].replace("(y)", ""), soften=True)


def _noun_phrase(random):
    kind = random.randrange(5)
    if kind == 0:
        return f"{random.choice(ADJECTIVES)} bir {_noun(random)}"
    if kind == 1:
        owner = random.choice(NAMES) if random.random() < 0.5 else random.choice(NOUNS).rstrip("*")
        thing = random.choice(NOUNS)
        return suffix(owner, "(n)In") + " " + suffix(thing.rstrip("*"), "(s)I", soften=thing.endswith("*"))
    if kind == 2:
        return f"{_noun(random)} {random.choice(POSTPOSITIONS)}"
    if kind == 3:
        return f"{number(random.randrange(1, 100))} {random.choice(NOUNS).rstrip('*')}"
    return f"{random.choice(ADJECTIVES)} {random.choice(ADJECTIVES)} {_noun(random, random.choice(['DA', 'DAn', '(y)A', '(y)I']))}"


def _question(random):
    person = random.randrange(6)
    if random.random() < 0.6:
        return _spaced([random.choice(QUESTIONS), _noun(random, "(y)I") if random.random() < 0.4 else "", verb(random, person)])
    return _spaced([_noun(random), random.choice(ADJECTIVES), "mi" if random.random() < 0.5 else "değil mi"])


def _existence(random):
    return _spaced([_noun(random, "DA"), _noun(random), random.choice(["var", "yok", "var mı", "yok mu", "vardı", "yoktu"])])


def _predicate(random):
    adjective = random.choice(ADJECTIVES)
    ending = random.choice(["", "değil", "mıydı", "olmalı", "görünüyor", "olacak"]) if random.random() < 0.5 else None
    if ending is None:
        adjective = suffix(adjective, random.choice(["(y)DI", "(y)mIş", "DIr", "lAr"]))
    return _spaced([_noun(random) if random.random() < 0.7 else "bu " + _noun(random), random.choice(["çok", "daha", "en", "", ""]), adjective, ending or ""])


def _words(random):
    pool = [word.rstrip("*") for word in NOUNS] + ADJECTIVES + NAMES + SURNAMES + CITIES + DAYS + MONTHS
    return " ".join(random.choice(pool) for _ in range(random.randrange(1, 4)))


def _figures(random):
    return random.choice([
        lambda: digits(random, random.randrange(1, 9)),
        lambda: number(random.randrange(0, 10000)),
        lambda: number(random.randrange(0, 1000)) + random.choice([" lira", " kuruş", " yüz", " metre", " kilo", " dakika", " gün", ""]),
        lambda: "saat " + random.choice(HOURS_AT),
        lambda: f"{number(random.randrange(1, 32))} {random.choice(MONTHS)} {random.choice(DAYS)}",
        lambda: f"{random.choice(NAMES)} sokak numara {number(random.randrange(1, 200))} {random.choice(CITIES)}",
    ])()


def _spaced(parts):
    return " ".join(part for part in parts if part).replace("_", " ")
