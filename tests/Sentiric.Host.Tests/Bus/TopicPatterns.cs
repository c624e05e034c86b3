using Sentiric.Host.Bus;

namespace Sentiric.Host.Tests.Bus;

public sealed class TopicPatterns
{
    [Theory]
    [InlineData("call.started", "call.started", true)]
    [InlineData("call.started", "call.ended", false)]
    [InlineData("call.started", "call", false)]
    [InlineData("call.#", "call", true)]
    [InlineData("call.#", "call.started", true)]
    [InlineData("call.#", "call.media.playback.finished", true)]
    [InlineData("call.#", "callback.started", false)]
    [InlineData("call.*", "call.started", true)]
    [InlineData("call.*", "call.media.started", false)]
    [InlineData("call.*", "call", false)]
    [InlineData("#", "anything.at.all", true)]
    [InlineData("*.created", "user.created", true)]
    [InlineData("#.created", "user.created", true)]
    [InlineData("user.*.for_call", "user.identified.for_call", true)]
    [InlineData("call.#.finished", "call.media.playback.finished", true)]
    [InlineData("call.#.finished", "call.finished", true)]
    [InlineData("Call.#", "call.started", false)]
    public void A_pattern_matches_as_the_broker_matches(string pattern, string key, bool matches) => Assert.Equal(matches, TopicPattern.Matches(pattern, key));
}
