using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class SentencesTests
{
    // D32
    [Theory]
    [InlineData("saat 14.30'da Dr. Ayşe 3,5 TL ödedi.", 1)]
    [InlineData("Merhaba. Nasılsınız? İyiyim!", 3)]
    [InlineData("Randevunuz 3. katta, A. Yılmaz ile.", 1)]
    [InlineData("Prof. Dr. Ali Kaya sizi bekliyor. Geç kalmayın.", 2)]
    [InlineData("tek parça", 1)]
    [InlineData("", 0)]
    public void Text_is_cut_where_a_sentence_ends(string text, int sentences) => Assert.Equal(sentences, Sentences.Of(text).Count);

    [Fact]
    public void Nothing_is_lost_in_cutting() => Assert.Equal("Bir. İki? Üç", string.Join(' ', Sentences.Of("Bir. İki? Üç")));

    [Theory]
    [InlineData(0, "", "Bir iki üç dört")]
    [InlineData(500, "Bir iki", "üç dört")]
    [InlineData(1_000, "Bir iki üç dört", "")]
    public void The_heard_part_ends_at_a_whole_word(long heardMs, string heard, string rest) => Assert.Equal((heard, rest), HeardText.Cut("Bir iki üç dört", heardMs, 1_000));

    [Theory]
    [InlineData("saat 10:00 için", "saat on için")]
    [InlineData("saat 14:30", "saat on dört buçuk")]
    [InlineData("09:45'te", "dokuz kırk beş'te")]
    [InlineData("oran 1:100", "oran 1:100")]
    public void Times_are_spoken_in_words(string text, string spoken) => Assert.Equal(spoken, SpokenForm.Of(text, "tr"));
}
