namespace Sentiric.Speech.Tests.Recognition.Ctc;

public class TurkishSpellingTests
{
    [Theory]
    [InlineData("Saat 14.30'da", "saat on dört otuzda")]
    [InlineData("IŞIK İnci", "ışık inci")]
    [InlineData("Kâzım, Nuri!", "kazım nuri")]
    [InlineData("05321234567", "sıfır beş üç iki bir iki üç dört beş altı yedi")]
    [InlineData("12.500 TL", "on iki beş yüz tl")]
    [InlineData("1905", "bin dokuz yüz beş")]
    [InlineData("007", "sıfır sıfır yedi")]
    [InlineData("Max Wi-Fi", "maks vi fi")]
    [InlineData("...", "")]
    public void Writing_becomes_speech(string written, string spoken) => Assert.Equal(spoken, TurkishSpelling.Spell(written));

    [Theory]
    [InlineData(0, "sıfır")]
    [InlineData(10, "on")]
    [InlineData(100, "yüz")]
    [InlineData(101, "yüz bir")]
    [InlineData(1000, "bin")]
    [InlineData(2024, "iki bin yirmi dört")]
    [InlineData(999_999, "dokuz yüz doksan dokuz bin dokuz yüz doksan dokuz")]
    public void Numbers_are_said_in_words(int value, string spoken) => Assert.Equal(spoken, TurkishSpelling.Number(value));
}
