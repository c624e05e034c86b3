namespace Sentiric.Speech.Tests;

public class SpokenTextTests
{
    [Theory]
    [InlineData("IŞIK İyi", "tr", "ışık iyi")]
    [InlineData("TITLE", "en", "title")]
    public void Case_follows_the_language(string text, string language, string expected) =>
        Assert.Equal(expected, SpokenText.Lower(text, language));

    [Fact]
    public void Marks_part_words_but_a_hyphen_inside_one_stays() =>
        Assert.Equal(["hı-hı", "evet", "ankara'da"], SpokenText.Words("Hı-hı, evet... - Ankara'da!", "tr"));
}
