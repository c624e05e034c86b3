namespace Sentiric.Speech.Tests.Turns;

public class RuleTurnDetectorTests
{
    private static readonly RuleTurnDetector Detector = new();

    [Theory]
    [InlineData("merhaba randevu almak istiyorum", "tr")]
    [InlineData("evet", "tr")]
    [InlineData("yarın saat onda gelebilir miyim", "tr")]
    [InlineData("siparişim hala gelmedi", "tr")]
    [InlineData("İPTAL EDİYORUM", "tr")]
    [InlineData("teşekkür ederim", "tr")]
    [InlineData("I would like an appointment please", "en")]
    [InlineData("What time is it?", "en")]
    [InlineData("Das ist alles.", "de")]
    public void A_complete_looking_sentence_ends_after_a_short_silence(string text, string language)
    {
        Assert.Equal(new TurnDecision(true, TimeSpan.FromMilliseconds(250), TurnReason.CompleteSentence), Decide(250, text, language));
        Assert.Equal(TurnReason.Waiting, Decide(249, text, language).Reason);
    }

    [Theory]
    [InlineData("üç beş yedi", "tr")]
    [InlineData("ahmet yılmaz", "tr")]
    [InlineData("", "tr")]
    [InlineData(null, "tr")]
    [InlineData("the blue one", "en")]
    public void What_may_go_on_gets_a_longer_pause(string? text, string language)
    {
        Assert.False(Decide(699, text, language).Ended);
        Assert.Equal(new TurnDecision(true, TimeSpan.FromMilliseconds(700), TurnReason.LongPause), Decide(700, text, language));
    }

    [Theory]
    [InlineData("randevu almak istiyorum ama", "tr")]
    [InlineData("teşekkürler bir de", "tr")]
    [InlineData("salı günü için", "tr")]
    [InlineData("I want to", "en")]
    [InlineData("salı günü saat", "tr")]
    public void What_wants_more_gets_the_longest_pause_and_no_more(string text, string language)
    {
        Assert.False(Decide(1499, text, language).Ended);
        Assert.Equal(new TurnDecision(true, TimeSpan.FromMilliseconds(1500), TurnReason.SilenceLimit), Decide(1500, text, language));
    }

    [Theory]
    [InlineData("saat onda", 300, TurnReason.Answer)]
    [InlineData("ahmet yılmaz", 300, TurnReason.Answer)]
    [InlineData("evet", 250, TurnReason.CompleteSentence)]
    [InlineData("salı günü ve", 1500, TurnReason.SilenceLimit)]
    public void An_answer_to_what_was_asked_ends_soon_unless_its_last_word_wants_more(string text, int endsMs, TurnReason reason)
    {
        var decision = Detector.Decide(new TurnContext(TimeSpan.FromMilliseconds(endsMs), text, "tr", IsAnswer: true));
        Assert.Equal(new TurnDecision(true, TimeSpan.FromMilliseconds(endsMs), reason), decision);
        Assert.False(Detector.Decide(new TurnContext(TimeSpan.FromMilliseconds(endsMs - 1), text, "tr", IsAnswer: true)).Ended);
    }

    [Fact]
    public void The_answer_tells_when_to_ask_again() =>
        Assert.Equal(TimeSpan.FromMilliseconds(700), Decide(0, "ahmet yılmaz", "tr").EndsAfter);

    private static TurnDecision Decide(int silenceMs, string? text, string language) =>
        Detector.Decide(new TurnContext(TimeSpan.FromMilliseconds(silenceMs), text, language));
}
