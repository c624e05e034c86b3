namespace Sentiric.Speech.Tests.Turns;

public class BackchannelTests
{
    [Theory]
    [InlineData("hı hı", "tr")]
    [InlineData("hı-hı", "tr")]
    [InlineData("Evet", "tr")]
    [InlineData("EVET, TAMAM.", "tr")]
    [InlineData("tamam", "tr-TR")]
    [InlineData("hmm", "tr")]
    [InlineData("İyi", "tr")]
    [InlineData("uh-huh", "en")]
    [InlineData("Yeah, okay.", "en-GB")]
    public void Listener_noises_do_not_interrupt(string text, string language) => Assert.True(Backchannels.IsBackchannel(text, language));

    [Theory]
    [InlineData("", "tr")]
    [InlineData("   ", "tr")]
    [InlineData("hayır", "tr")]
    [InlineData("evet ama bir sorum var", "tr")]
    [InlineData("tamam iptal edin", "tr")]
    [InlineData("dur", "tr")]
    [InlineData("evet evet evet evet evet", "tr")]
    [InlineData("stop", "en")]
    [InlineData("yes but wait", "en")]
    [InlineData("evet", "de")]
    public void Anything_more_is_an_interruption(string text, string language) => Assert.False(Backchannels.IsBackchannel(text, language));
}
