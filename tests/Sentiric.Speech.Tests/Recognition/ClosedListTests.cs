namespace Sentiric.Speech.Tests.Recognition;

public class ClosedListTests
{
    private static readonly string[] Menu = ["Fatura", "Kargo takibi", "Müşteri temsilcisi"];

    [Theory]
    [InlineData("fatura", "Fatura")]
    [InlineData("Kargo, takibi.", "Kargo takibi")]
    [InlineData("müşteri temsilcisi lütfen", "Müşteri temsilcisi")]
    [InlineData("elma armut", "")]
    public void The_nearest_phrase_is_taken_if_it_is_near(string said, string expected) =>
        Assert.Equal(expected, ClosedList.Nearest(said, Menu, "tr").Phrase);

    [Fact]
    public void Likeness_is_one_for_the_same_words() => Assert.Equal(1f, ClosedList.Nearest("KARGO TAKİBİ", Menu, "tr").Likeness);
}
