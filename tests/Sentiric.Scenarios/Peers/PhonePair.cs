using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>A foreign telephone with a WAV for a microphone, which keeps what it hears.</summary>
internal interface IForeignPhone : IAsyncDisposable
{
    /// <summary>What the program wrote.</summary>
    string Said { get; }

    /// <summary>What it heard, 8 kHz, as far as it has written it down.</summary>
    short[] Heard();
}

/// <summary>A foreign telephone and one of ours, each with a melody of its own, without the platform.</summary>
internal sealed class PhonePair<TForeign>(string folder, LoopbackPhone ours, TForeign theirs) : IAsyncDisposable
    where TForeign : IForeignPhone
{
    private const int TheirMelody = 11, OurMelody = 12;
    private static readonly TimeSpan Spoken = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    public LoopbackPhone Ours => ours;

    public TForeign Theirs => theirs;

    /// <param name="start">Starts the foreign one in this folder, with this microphone, believing this root over TLS.</param>
    /// <param name="capabilities">What ours offers and answers; absent: the defaults.</param>
    public static async Task<PhonePair<TForeign>> StartAsync(Func<string, short[], string, Task<TForeign>> start, MediaCapabilities? capabilities = null)
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-pair-").FullName;
        var root = Path.Combine(folder, "root.pem");
        LoopbackPhone? phone = null;
        try
        {
            phone = await LoopbackPhone.StartAsync(new PhoneOptions(Tls: await PeerCertificates.IssueAsync(root), Capabilities: capabilities));
            return new(folder, phone, await start(Path.Combine(folder, "peer"), Melody.Repeated(TheirMelody, Long), root));
        }
        catch
        {
            if (phone is not null) await phone.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public Task<PhoneCall> TakeAsync() => PeerCalls.TakeAsync(ours, () => theirs.Said);

    /// <param name="capabilities">What our offer names; absent: the defaults.</param>
    public async Task<PhoneCall> CallAsync(SipUri target, SipTransportKind transport = SipTransportKind.Udp, MediaCapabilities? capabilities = null)
    {
        var call = await ours.DialAsync(new Dialing(target, "us", Transport: transport, Capabilities: capabilities));
        var established = await Until.DoneAsync("the foreign answer", call.Established, Calling.Patience);
        Assert.True(established.IsAnswered, $"{established.Status} {established.Reason}\n{theirs.Said}");
        return call;
    }

    /// <summary>They hold us, then take us back, each by what this does at their telephone.</summary>
    public async Task AreHeldAndTakenBackAsync(PhoneCall call, Func<Task> hold, Func<Task> resume)
    {
        await hold();
        await Until.TrueAsync("our side to be held", () => Task.FromResult(call.Media.Audio?.Direction.Sends() == false), Calling.Patience, () => theirs.Said);
        await resume();
        await Until.TrueAsync("our side to be taken back", () => Task.FromResult(call.Media.Audio?.Direction == MediaDirection.SendRecv), Calling.Patience, () => theirs.Said);
    }

    /// <summary>Each hears the other's melody, by correlation, not by counting packets.</summary>
    /// <param name="likeness">The least correlation; a codec that takes the wave apart gives less than one that rounds it.</param>
    public async Task<string> BothVoicesAsync(PhoneCall call, double likeness = Melody.Likeness)
    {
        var spoken = call.Play(Melody.Repeated(OurMelody, Spoken));
        var here = await TheirVoiceAsync(call, likeness);
        var there = 0.0;
        await Until.TrueAsync(
            "our melody in what they heard", () => Task.FromResult((there = Melody.In(theirs.Heard(), OurMelody)) > likeness), Calling.Patience,
            () => $"likeness {there:F3} in {theirs.Heard().Length} samples\n{theirs.Said}");
        call.Media.Clear();
        await Until.DoneAsync("our melody to stop", spoken.Finished, Calling.Patience);
        return $"heard there with {there:F4}, heard here with {here:F4}";
    }

    public async Task<double> TheirVoiceAsync(PhoneCall call, double likeness = Melody.Likeness)
    {
        var here = await Melody.HeardAsync(call, TheirMelody);
        Assert.True(here > likeness, $"their melody is heard with {here:F3}\n{theirs.Said}");
        return here;
    }

    public async ValueTask DisposeAsync()
    {
        await theirs.DisposeAsync();
        await ours.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>Calls of foreign telephones.</summary>
internal static class PeerCalls
{
    /// <summary>Waits until it rings and answers; a failure tells what the other program said and what went over the wire.</summary>
    public static async Task<PhoneCall> TakeAsync(LoopbackPhone phone, Func<string> said)
    {
        try
        {
            var call = await Until.DoneAsync("a call to ring", phone.Incoming.ReadAsync().AsTask(), Calling.Patience);
            return await call.AnswerAsync() ? call : throw new InvalidOperationException(Told());
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{Told()}");
        }

        string Told() => $"{said()}\n{string.Join("\n\n", phone.Trace.Select(m => $"{m.Direction} {m.RedactedText()}"))}";
    }
}
