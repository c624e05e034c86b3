namespace Sentiric.Media.Tests;

/// <summary>Three legs on real sockets with three phones: who hears whom.</summary>
[Trait("Category", "Slow")]
public sealed class BridgingLegs : IAsyncLifetime
{
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(3);
    private readonly MediaEngine engine = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await engine.DisposeAsync();

    [Fact]
    public async Task Both_hear_each_other_the_supervisor_hears_both_and_only_the_agent_hears_the_whisper()
    {
        var (callerPhone, caller) = Connected();
        var (agentPhone, agent) = Connected();
        var (bossPhone, boss) = Connected();
        using var bridge = MediaBridge.Join(caller, agent);
        using var listening = bridge.Listen(boss);
        using var whispering = bridge.Whisper(boss);
        var ears = new[] { callerPhone, agentPhone, bossPhone }.Select(HearAsync).ToList();
        short[] callerSays = Signal(300, 1_100), agentSays = Signal(1_200, 2_000), bossSays = Signal(2_100, 2_900);
        callerPhone.Play("c", callerSays);
        agentPhone.Play("a", agentSays);
        await Waiting.For(bossPhone.Play("b", bossSays).Finished, "the supervisor to say all");
        var heardBy = await Waiting.For(Task.WhenAll(ears), "three seconds to be heard by all");
        var (atCaller, atAgent, atBoss) = (heardBy[0], heardBy[1], heardBy[2]);

        // A busy machine stretches some pieces; half of them come through as they were said.
        double Half(short[] said, short[] heard) => Signals.FindPieces(said, heard) is var found ? found[found.Length / 2] : 0;
        double Of(short[] said, short[] heard) => Signals.Find(said.AsSpan(4_000, 4_000), heard).Correlation;
        Assert.True(Half(agentSays, atCaller) > 0.9, $"the caller hears the agent: {Half(agentSays, atCaller)}");
        Assert.True(Half(callerSays, atAgent) > 0.6, $"the agent hears the caller: {Half(callerSays, atAgent)}");
        Assert.True(Half(bossSays, atAgent) > 0.6, $"the agent hears the whisper: {Half(bossSays, atAgent)}");
        Assert.True(Half(callerSays, atBoss) > 0.6, $"the supervisor hears the caller: {Half(callerSays, atBoss)}");
        Assert.True(Half(agentSays, atBoss) > 0.6, $"the supervisor hears the agent: {Half(agentSays, atBoss)}");
        Assert.True(Math.Abs(Of(bossSays, atCaller)) < 0.2, $"the caller hears the whisper: {Of(bossSays, atCaller)}");
        Assert.True(Math.Abs(Of(callerSays, atCaller)) < 0.2, $"the caller hears himself: {Of(callerSays, atCaller)}");
    }

    private static short[] Signal(double from, double to) => Tone.Sweep(from, to, TimeSpan.FromSeconds(2), 0.25);

    private static async Task<short[]> HearAsync(MediaSession phone)
    {
        using var ear = phone.Listen(boundFrames: 500);
        var heard = new List<short>();
        while (heard.Count < Enough.TotalSeconds * 8_000) heard.AddRange((await ear.Frames.ReadAsync()).Pcm.Span);
        return [.. heard];
    }

    private (MediaSession Phone, MediaSession Leg) Connected()
    {
        var (phone, leg) = (engine.Open().Session, engine.Open().Session);
        Assert.NotNull(phone);
        Assert.NotNull(leg);
        var answer = leg.Answer(phone.Offer());
        Assert.Null(phone.AcceptAnswer(answer.Sdp ?? "").Refusal);
        return (phone, leg);
    }
}
