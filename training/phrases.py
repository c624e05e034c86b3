"""What callers say: phrase forms with slots, for call centres, shops and the demo clinic.

Every HELD_OUT_EVERY-th form is never synthesised for training; the test set measures those apart.
"""
import re

from turkish import digits, normalise, number

HELD_OUT_EVERY, HELD_OUT_OFFSET = 5, 3

NAMES = """ayşe fatma emine hatice zeynep elif meryem şerife zehra sultan hanife merve havva zeliha esra fadime özlem hacer
yasemin hülya cemile sevim gülsüm leyla dilek büşra aysel songül kübra halime esma aynur hayriye kadriye tuğba rabia sevgi
arzu derya gamze selin deniz ebru pınar ceren ece defne nazlı yıldız nur aslı burcu sibel melek mehmet mustafa ahmet ali
hüseyin hasan ibrahim ismail osman yusuf murat ömer ramazan halil süleyman abdullah mahmut recep salih fatih kadir emre
hakan adem kemal yaşar bekir musa metin orhan burak furkan ayhan cem can tolga serkan volkan onur barış uğur gökhan
kerem mert efe çağlar oğuz selim tuncay engin ozan levent""".split()
SURNAMES = """yılmaz kaya demir şahin çelik yıldız yıldırım öztürk aydın özdemir arslan doğan kılıç aslan çetin kara koç kurt
özkan şimşek polat korkmaz çakır erdoğan yavuz can acar aktaş güler yalçın güneş bozkurt bulut keskin ünal turan gül özer
ışık kaplan avcı sarı tekin taş köse yüksel ateş toprak uysal durmaz bayram soylu ekinci tunç başaran""".split()
DAYS = "pazartesi salı çarşamba perşembe cuma cumartesi pazar".split()
MONTHS = "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık".split()
CITIES = """istanbul ankara izmir bursa antalya adana konya gaziantep kayseri mersin eskişehir diyarbakır samsun denizli
trabzon malatya erzurum van sakarya balıkesir manisa ordu rize sinop artvin edirne çanakkale muğla aydın hatay""".split()
DEPARTMENTS = ["diş", "göz", "kardiyoloji", "cildiye", "dahiliye", "ortopedi", "nöroloji", "kulak burun boğaz",
               "çocuk sağlığı", "kadın doğum", "genel cerrahi", "fizik tedavi", "psikiyatri", "üroloji"]
TREATMENTS = ["muayene", "diş temizliği", "dolgu", "kanal tedavisi", "diş çekimi", "implant", "ortodonti", "diş beyazlatma",
              "kontrol", "protez", "tel tedavisi", "kan tahlili", "röntgen"]
PRODUCTS = ["telefon", "bilgisayar", "televizyon", "buzdolabı", "çamaşır makinesi", "ayakkabı", "gömlek", "kitap", "kulaklık",
            "klima", "tablet", "yazıcı", "koltuk", "halı", "çanta", "mont", "saat", "ütü", "masa", "yastık"]
TOPICS = ["fatura", "kargo", "iade", "üyelik", "abonelik", "internet", "şifre", "ödeme", "sipariş", "garanti", "kampanya", "taksit"]
HOURS_AT = ["sekizde", "sekiz buçukta", "dokuzda", "dokuz buçukta", "onda", "on buçukta", "on birde", "on bir buçukta",
            "on ikide", "on iki buçukta", "birde", "bir buçukta", "ikide", "iki buçukta", "üçte", "üç buçukta", "dörtte",
            "dört buçukta", "beşte", "beş buçukta", "altıda", "altı buçukta", "yedide", "on üçte", "on dörtte",
            "on dört otuzda", "on beşte", "on beş otuzda", "on altıda", "on altı otuzda", "on yedide", "on yedi otuzda"]
HOURS = ["sekiz", "dokuz", "on", "on bir", "on iki", "bir", "iki", "üç", "dört", "beş", "altı", "dokuz buçuk", "on buçuk",
         "bir buçuk", "iki buçuk", "üç buçuk", "dört buçuk", "on otuz", "on dört otuz", "on beş otuz", "on üç", "on dört", "on beş"]
DAY_PARTS = ["sabah", "öğleden önce", "öğlen", "öğleden sonra", "akşam", "akşamüstü"]
NEAR_DAYS = ["bugün", "yarın", "öbür gün", "bu hafta", "haftaya", "gelecek hafta", "hafta sonu", "önümüzdeki hafta", "gelecek ay"]

SLOTS = {
    "isim": lambda r: r.choice(NAMES),
    "soyad": lambda r: r.choice(SURNAMES),
    "gun": lambda r: r.choice(DAYS),
    "ay": lambda r: r.choice(MONTHS),
    "ayin": lambda r: number(r.randrange(1, 32)),
    "saat": lambda r: r.choice(HOURS_AT),
    "saatyalin": lambda r: r.choice(HOURS),
    "dilim": lambda r: r.choice(DAY_PARTS),
    "yakin": lambda r: r.choice(NEAR_DAYS),
    "sehir": lambda r: r.choice(CITIES),
    "bolum": lambda r: r.choice(DEPARTMENTS),
    "islem": lambda r: r.choice(TREATMENTS),
    "urun": lambda r: r.choice(PRODUCTS),
    "konu": lambda r: r.choice(TOPICS),
    "sayi": lambda r: number(r.choice([r.randrange(1, 20), r.randrange(20, 100), r.randrange(100, 1000), r.randrange(1000, 10000)])),
    "kod": lambda r: digits(r, r.choice([3, 4, 5, 6])),
    "tel": lambda r: digits(r, r.choice([7, 10, 11])),
    "adet": lambda r: number(r.randrange(1, 13)),
    "yil": lambda r: number(r.randrange(1950, 2026)),
}

FORMS = list(dict.fromkeys("""
evet
hayır
tamam
tamamdır
olur
olmaz
peki
evet lütfen
evet olur
evet uygun
evet doğrudur
hayır olmaz
hayır değil
hayır istemiyorum
uygun
uygun değil
uygundur
onaylıyorum
hı hı
hıhı
yok
yok sağ olun
yok teşekkürler
var
bir saniye
bir saniye lütfen
bir dakika
teşekkürler
sağ olun
çok sağ olun
teşekkür ederim
çok teşekkür ederim iyi günler
merhaba
selam
merhabalar
merhaba iyi günler
iyi günler
iyi akşamlar
günaydın
alo
efendim
alo sesim geliyor mu
sizi duyamıyorum
duyamadım
tekrar eder misiniz
anlamadım tekrar söyler misiniz
bir dakika bekler misiniz
lütfen bekleyin
doğru
yanlış
yanlış anladınız
evet doğru
hayır yanlış
evet onaylıyorum
evet onaylıyorum teşekkürler
onaylamıyorum
iptal et
iptal
iptal etmek istiyorum
devam edelim
vazgeçtim
hayır vazgeçtim
müşteri temsilcisine bağlanmak istiyorum
temsilciye bağlanmak istiyorum
temsilciye bağla
beni bir yetkiliye bağlar mısınız
operatöre bağla
operatör
temsilci
sekretere bağlar mısınız
bir insanla görüşmek istiyorum
yetkili biriyle görüşmek istiyorum
insanla konuşmak istiyorum
randevu
randevu almak istiyorum
merhaba randevu almak istiyorum
iyi günler randevu almak istiyorum
randevu alabilir miyim
randevu alacaktım
bir randevu alacaktım
yeni bir randevu almak istiyorum
{islem} için randevu almak istiyorum
{islem} randevusu almak istiyorum
{islem} için geleceğim
{islem} ne kadar
{islem} ücreti ne kadar
{islem} yapıyor musunuz
{islem} fiyatını öğrenebilir miyim
{bolum} bölümünden randevu almak istiyorum
{bolum} bölümü
{bolum} için {gun} gününe randevu alabilir miyim
{gun} günü
{gun} günü saat {saat}
{gun} günü {dilim}
{gun} {dilim}
{gun} olsun
{gun} olur
{gun} günü olsun
{gun} günü saat {saat} olsun
{gun} saat {saat}
{gun} günü saat {saat} uygun mu
{gun} günü saat {saatyalin} uygun mu
{gun} günü müsait misiniz
{gun} günü boş yeriniz var mı
{gun} sabahı gelebilirim
{gun} gününe randevu istiyorum
{yakin}
{yakin} {dilim}
{yakin} {gun}
{yakin} {gun} günü
{yakin} saat {saat}
{yakin} olur mu
{yakin} olsun
{yakin} için randevu istiyorum
{yakin} gelebilirim
{yakin} boş yer var mı
{ayin} {ay}
{ayin} {ay} {gun}
{ayin} {ay} {gun} günü gelebilirim
{ayin} {ay} saat {saat} randevum vardı
{ayin} {ay} için randevu istiyorum
saat {saat}
saat {saatyalin}
saat {saatyalin} olsun
saat {saatyalin} uygun
saat {saat} olsun
saat {saat} gelebilirim
saat {saat} uygun
{dilim} saat {saat}
{dilim}
{dilim} olsun
{dilim} olabilir
{dilim} daha uygun
{dilim} boş yeriniz var mı
fark etmez siz seçin
en erken ne zaman
en yakın tarih ne zaman
en yakın randevu ne zaman
başka bir saat olabilir mi
başka gün var mı
başka bir gün olsun
randevumu iptal etmek istiyorum
randevum iptal olsun
randevumu {gun} gününe ertelemek istiyorum
randevumu ertelemek istiyorum
randevumu değiştirmek istiyorum
randevumu sorgulamak istiyorum
randevu saatimi öğrenmek istiyorum
randevum ne zamandı
randevum saat kaçta
yarın için boş saat var mı
bugün öğleden sonra gelebilir miyim
haftaya {gun} olur mu
sabah saat {saat} gelebilirim
saat {saat} olsun lütfen
daha erken bir saat var mı
daha geç bir saat olabilir mi
doktor {isim} {soyad} müsait mi
doktor {soyad} için randevu istiyorum
{isim} hanımdan randevu almak istiyorum
{isim} bey müsait mi
doktor {isim} bey
adım {isim} {soyad}
adım {isim}
adım {isim} soyadım {soyad}
ismim {isim} {soyad}
ben {isim} {soyad}
ben {isim}
benim adım {isim}
benim adım {isim} {soyad}
soyadım {soyad}
{isim}
{isim} {soyad}
{isim} hanım
{isim} bey
{isim} {soyad} adına
hasta adı {isim} {soyad}
randevu {isim} {soyad} adına
kızım {isim} için
oğlum {isim} için randevu istiyorum
eşim için randevu alacaktım
doğum tarihim {ayin} {ay} {yil}
{ayin} {ay} {yil}
telefon numaram {tel}
numaram {tel}
beni {tel} numarasından arayabilirsiniz
kimlik numaramın son dört hanesi {kod}
müşteri numaram {kod}
çalışma saatleriniz nedir
çalışma saatleriniz nelerdir
kaça kadar açıksınız
saat kaçta açılıyorsunuz
saat kaçta kapanıyorsunuz
bugün açık mısınız
hafta sonu açık mısınız
pazar günü açık mısınız
{gun} günü açık mısınız
{gun} günleri çalışıyor musunuz
adresiniz nerede
adresiniz nedir
neredesiniz
kliniğiniz nerede
oraya nasıl gelebilirim
otopark var mı
metroya yakın mı
muayene ücreti ne kadar
muayene ne kadar
ücret ne kadar
fiyatlarınız ne kadar
fiyat listesi var mı
sigorta geçiyor mu
özel sigortam var
hangi sigortalar geçerli
taksit var mı
kredi kartı geçiyor mu
nakit ödeyeceğim
ilk defa geliyorum
daha önce geldim
ilk kez arıyorum
çocuğum için
kontrol için geleceğim
dişim ağrıyor
dişim çok ağrıyor
dişim kırıldı
dişim şişti
dolgum düştü
diş etim kanıyor
apse oldu
ağrım var
çok ağrım var
ateşim var
başım ağrıyor
karnım ağrıyor
dün geceden beri ağrıyor
ilaç kullanıyorum
alerjim var
hamileyim
acil bir durum var
çok acil lütfen
başka bir sorum yok
başka bir sorum yok teşekkür ederim
başka sorum yok
başka bir isteğim yok teşekkürler
teşekkürler bir de şunu soracaktım
bir şey daha soracaktım
bir şey soracağım
bir sorum olacaktı
bilgi almak istiyorum
hayır teşekkür ederim
hayır teşekkürler
hayır teşekkür ederim iyi günler
tamam teşekkür ederim
tamam teşekkürler iyi günler
tamam olur
peki teşekkür ederim
çok teşekkürler
bu kadar
bu kadar yeterli
hepsi bu kadar
hoşça kalın
hoşça kal
iyi günler dilerim
kolay gelsin
görüşürüz
görüşmek üzere
kapatabilirsiniz
siparişim nerede
siparişim ne zaman gelecek
siparişimin durumunu öğrenmek istiyorum
sipariş vermek istiyorum
sipariş numaram {kod}
{kod} numaralı siparişim hala gelmedi
siparişimi iptal etmek istiyorum
aldığım {urun} bozuk çıktı
{urun} siparişi vermiştim
{urun} almak istiyorum
{adet} adet {urun} sipariş etmek istiyorum
{adet} adet {urun}
{adet} tane {urun}
{urun} fiyatı ne kadar
{urun} ne kadar
{urun} stokta var mı
{urun} kaç para
ürünü iade etmek istiyorum
{urun} iade edebilir miyim
iade süreci nasıl işliyor
param ne zaman iade edilecek
kargom nerede
kargom hangi şubede
kargo takip numaram {kod}
kargom {sehir} şubesinde mi bekliyor
teslimat adresimi değiştirmek istiyorum
adresim {sehir} atatürk caddesi numara {sayi}
{sehir} şubenizin telefon numarası nedir
{sehir} şubesi kaçta kapanıyor
faturamı öğrenmek istiyorum
faturam neden bu kadar yüksek geldi
bu ayki faturam ne kadar
son ödeme tarihi ne zaman
{sayi} lira ödeme yapmak istiyorum
faturamı nasıl öderim
kredi kartıyla ödeyebilir miyim
taksit yapabilir misiniz
{adet} taksit olsun
hesabımdan {sayi} lira çekilmiş
hesap bakiyemi öğrenmek istiyorum
bakiyem ne kadar
kartımı kaybettim
kartımı kapatmak istiyorum
şifremi unuttum
şifremi değiştirmek istiyorum
internetim çalışmıyor
internet bağlantım çok yavaş
arıza kaydı oluşturmak istiyorum
modemimi yeniden başlattım ama olmadı
tarifemi değiştirmek istiyorum
yeni abonelik başlatmak istiyorum
aboneliğimi iptal etmek istiyorum
üyeliğimi sonlandırmak istiyorum
kampanyalarınız hakkında bilgi almak istiyorum
{konu} hakkında bilgi almak istiyorum
{konu} konusunda yardım istiyorum
{konu} ile ilgili bir sorunum var
{konu}
şikayetim var
şikayet kaydı oluşturmak istiyorum
bir şikayette bulunmak istiyorum
çok memnun kaldım
hiç memnun değilim
fiyat bilgisi alabilir miyim
ne kadar sürer
kaç gün sürer
ne zaman hazır olur
nasıl yapabilirim
ne yapmam gerekiyor
bana mesaj gönderir misiniz
bilgileri mesaj olarak atın lütfen
elektronik posta adresim değişti
beni daha sonra arayın
beni {gun} günü arayabilir misiniz
şu an müsait değilim
şu anda araba kullanıyorum
{adet} kişilik masa ayırtmak istiyorum
{gun} akşamı {adet} kişilik rezervasyon yapmak istiyorum
rezervasyonumu iptal etmek istiyorum
{ayin} {ay} için oda var mı
iki gece kalmak istiyoruz
{sehir} uçağı saat kaçta
{sehir} için bilet almak istiyorum
biletimi değiştirmek istiyorum
biletimi iptal edebilir miyim
sınav sonucumu öğrenmek istiyorum
tahlil sonuçlarım çıktı mı
sonuçlarımı nereden görebilirim
ilaç raporum bitti
reçetemi yenilemek istiyorum
sigortam geçerli mi
sigorta karşılıyor mu
hangi doktorlar var
hangi belgeler gerekiyor
size nasıl ulaşabilirim
en yakın şube nerede
{sehir} içinde en yakın şubeniz nerede
toplam tutar ne kadar
indirim var mı
öğrenci indirimi var mı
{sayi} lira mı dediniz
{sayi} lira
{sayi}
{kod}
{tel}
{gun}
{saat}
{ay}
{sehir}
birinci seçenek
ikinci seçenek
üçüncü seçenek
ilk söylediğiniz olsun
ilki olsun
sonuncusu olsun
fark etmez
bilmiyorum
emin değilim
düşünmem lazım
sonra tekrar arayacağım
""".strip().split("\n")))

TRAINING_FORMS = [form for i, form in enumerate(FORMS) if i % HELD_OUT_EVERY != HELD_OUT_OFFSET]
HELD_OUT_FORMS = [form for i, form in enumerate(FORMS) if i % HELD_OUT_EVERY == HELD_OUT_OFFSET]


def fill(form, random):
    """A form with every slot filled, normalised."""
    return normalise(re.sub(r"\{(\w+)\}", lambda slot: SLOTS[slot.group(1)](random), form))
