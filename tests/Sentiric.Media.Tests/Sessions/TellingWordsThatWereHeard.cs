namespace Sentiric.Media.Tests;

public class TellingWordsThatWereHeard
{
    private const string Text = "Merhaba, size nas\u0131l yard\u0131mc\u0131 olabilirim?";

    [Fact]
    public void With_word_times_it_is_exact()
    {
        var words = new SpokenWords(Text, [600, 900, 1_300, 1_900, 2_700]);
        Assert.Equal(new HeardWords(0, 5, "", false), words.HeardAt(599, 3_000));
        Assert.Equal(new HeardWords(1, 5, "Merhaba,", false), words.HeardAt(600, 3_000));
        Assert.Equal(new HeardWords(3, 5, "Merhaba, size nas\u0131l", false), words.HeardAt(1_899, null));
        Assert.Equal(new HeardWords(5, 5, Text, false), words.HeardAt(2_700, 3_000));
    }

    [Fact]
    public void Without_them_long_words_take_longer_and_a_comma_pauses()
    {
        var words = new SpokenWords(Text);
        // 8 letters, 1 + 3 for the blank and the comma, 4, 1, 5, 1, 8, 1, 11: 43 in all.
        Assert.Equal(new HeardWords(1, 5, "Merhaba,", true), words.HeardAt(8 * 100, 43 * 100));
        Assert.Equal(1, words.HeardAt(15 * 100, 43 * 100).Words);
        Assert.Equal(2, words.HeardAt(16 * 100, 43 * 100).Words);
        Assert.Equal(4, words.HeardAt(43 * 100 - 1, 43 * 100).Words);
        Assert.Equal(new HeardWords(5, 5, Text, true), words.HeardAt(43 * 100, 43 * 100));
    }

    [Fact]
    public void While_the_end_is_not_known_the_usual_pace_counts()
    {
        Assert.Equal("Merhaba,", new SpokenWords(Text).HeardAt(600, null).Text);
        Assert.Equal("", new SpokenWords(Text).HeardAt(200, null).Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public void No_words_are_never_heard(string text) => Assert.Equal(new HeardWords(0, 0, "", true), new SpokenWords(text).HeardAt(5_000, 5_000));

    [Fact]
    public void Times_that_fall_or_are_too_few_and_endless_texts_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new SpokenWords("bir iki", [100]));
        Assert.Throws<ArgumentException>(() => new SpokenWords("bir iki", [200, 100]));
        Assert.Throws<ArgumentException>(() => new SpokenWords("bir", [-1]));
        Assert.Throws<ArgumentException>(() => new SpokenWords(new string('a', SpokenWords.MaxLetters + 1)));
    }

    [Fact]
    public void A_queue_tells_the_words_of_what_plays_and_of_what_was_cut()
    {
        var (queue, frame) = (new PlaybackQueue(), new short[160]);
        queue.Open("a");
        Assert.True(queue.Say("a", new SpokenWords("bir iki", [30, 90])));
        Assert.False(queue.Say("b", new SpokenWords("bir")));
        queue.Enqueue("a", new short[800]);
        queue.Complete("a");
        queue.Read(frame);
        Assert.Equal(new HeardWords(0, 2, "", false), queue.Where().Heard);
        queue.Read(frame);
        Assert.Equal(new HeardWords(1, 2, "bir", false), queue.Where().Heard);
        Assert.Equal(new HeardWords(1, 2, "bir", false), Assert.Single(queue.Clear()).Heard);
        Assert.Null(queue.Where().Heard);
    }
}
