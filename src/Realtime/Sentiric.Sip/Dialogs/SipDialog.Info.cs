using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>A key press that came by INFO: 0 to 9, *, # or A to D, and how long it was held when the peer says so.</summary>
public readonly record struct SipDigit(char Key, TimeSpan? Duration);

/// <summary>Key presses by INFO, in the two forms that gateways use (RFC 6086 2, its legacy usage).</summary>
public sealed partial class SipDialog
{
    private const string RelayType = "application/dtmf-relay";
    private const string PlainType = "application/dtmf";

    /// <summary>Key presses that the application has not read; beyond it the oldest is lost.</summary>
    private const int MaxDigitsKept = 64;

    /// <summary>A body of this sort is a few words long.</summary>
    private const int MaxDigitBytes = 512;
    private static readonly TimeSpan LongestPress = TimeSpan.FromSeconds(10);

    /// <summary>Key presses of the peer by INFO, in order; ends with the call. Those by RTP (RFC 4733) are the media's.</summary>
    public ChannelReader<SipDigit> Digits => DigitChannel.Reader;

    private Channel<SipDigit> DigitChannel => LazyInitializer.EnsureInitialized(ref More.Digits, () =>
    {
        var made = Channel.CreateBounded<SipDigit>(new BoundedChannelOptions(MaxDigitsKept) { FullMode = BoundedChannelFullMode.DropOldest });
        if (HasEnded)
        {
            made.Writer.TryComplete();
        }

        return made;
    });

    /// <summary>Presses a key by INFO (application/dtmf-relay) and gives the status of the answer: 415 or 405 from a peer that does not take it so.</summary>
    public async Task<int> SendDigitAsync(SipDigit digit)
    {
        if (!IsKey(digit.Key))
        {
            throw new ArgumentOutOfRangeException(nameof(digit), digit.Key, "A key is 0 to 9, *, # or A to D.");
        }

        int ms = (int)(digit.Duration ?? TimeSpan.FromMilliseconds(160)).TotalMilliseconds;
        string body = string.Create(CultureInfo.InvariantCulture, $"Signal={digit.Key}\r\nDuration={ms}\r\n");
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await shard.Queue.InvokeAsync(() =>
        {
            if (HasEnded)
            {
                return done.TrySetResult(481);
            }

            Exchange(state.Request(SipMethod.Info) with { ContentType = RelayType, Sdp = body }, result => done.TrySetResult(result.StatusCode));
            return true;
        }).ConfigureAwait(false);
        return await done.Task.ConfigureAwait(false);
    }

    private void TakeInfo(ServerTransaction transaction)
    {
        SipRequest request = transaction.Request;
        if (request.Header("Info-Package") is not null)
        {
            // RFC 6086 4.2.2: we announced no package; Recv-Info says so again.
            Respond(transaction, 469, new KeyValuePair<string, string>("Recv-Info", ""));
            return;
        }

        bool relay = request.ContentTypeIs(RelayType);
        if (request.Body.Length > 0 && !relay && !request.ContentTypeIs(PlainType))
        {
            Respond(transaction, 415, new KeyValuePair<string, string>("Accept", RelayType + ", " + PlainType));
            return;
        }

        if (request.Body.Length == 0)
        {
            // RFC 6086 2: an empty INFO asks whether we are there.
            Respond(transaction, 200);
            return;
        }

        SipDigit? digit = DigitOf(request.Body.Span, relay);
        if (digit is { } pressed)
        {
            DigitChannel.Writer.TryWrite(pressed);
        }

        UasCore.Respond(shard, transaction, digit is null ? 400 : 200, digit is null ? "No Key Named" : null, LocalTag);
    }

    /// <summary>"Signal=5" and "Duration=160" in lines of their own, or the key alone.</summary>
    internal static SipDigit? DigitOf(ReadOnlySpan<byte> body, bool relay)
    {
        if (body.Length > MaxDigitBytes)
        {
            return null;
        }

        string text = Encoding.ASCII.GetString(body);
        if (!relay)
        {
            return KeyOf(text.Trim()) is { } alone ? new SipDigit(alone, null) : null;
        }

        char? key = null;
        TimeSpan? duration = null;
        foreach (string line in text.Split('\n'))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? "" : line[..equals].Trim();
            string value = equals < 0 ? "" : line[(equals + 1)..].Trim();
            key = name.Equals("Signal", StringComparison.OrdinalIgnoreCase) ? KeyOf(value) : key;
            bool isDuration = name.Equals("Duration", StringComparison.OrdinalIgnoreCase);
            if (isDuration && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int ms) && ms <= LongestPress.TotalMilliseconds)
            {
                duration = TimeSpan.FromMilliseconds(ms);
            }
        }

        return key is { } pressed ? new SipDigit(pressed, duration) : null;
    }

    /// <summary>Some gateways write 10 and 11 for * and #, as RFC 4733 numbers them.</summary>
    private static char? KeyOf(string value) => value switch
    {
        "10" => '*',
        "11" => '#',
        [var one] when IsKey(char.ToUpperInvariant(one)) => char.ToUpperInvariant(one),
        _ => null,
    };

    private static bool IsKey(char key) => key is (>= '0' and <= '9') or '*' or '#' or (>= 'A' and <= 'D');
}
