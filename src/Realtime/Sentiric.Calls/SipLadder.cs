using System.Collections.Concurrent;
using Sentiric.Contracts.Events;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>
/// Turns the trace of the SIP stack into the ladder of each call. The trace of an INVITE comes before its call exists, so messages of
/// unknown Call-IDs wait, for a bounded number of them, oldest out.
/// </summary>
/// <param name="keepsMessages">The messages themselves are noted too, masked, so that a call can be exported for Wireshark.</param>
public sealed class SipLadder(bool keepsMessages = false)
{
    /// <summary>Of a longer message the beginning is kept: an INVITE with a body of several codecs has about 2 KB.</summary>
    public const int MaxKeptBytes = 8 * 1024;

    /// <summary>Beyond it the messages of a call are noted without their text.</summary>
    public const int MaxKeptBytesPerCall = 256 * 1024;

    /// <summary>Texts of messages that belong to no call yet, all together; beyond it they wait without.</summary>
    public const int MaxWaitingBytes = 16 * 1024 * 1024;

    private const int MaxUnknown = 2_000;
    private const int MaxMessagesWaiting = 20;
    private const int MaxMessagesPerCall = 200;
    private readonly ConcurrentDictionary<string, Rungs> _byCallId = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _unknown = new();
    private int _waitingBytes;

    public void Trace(SipTrace trace)
    {
        if (trace.CallId is not { } sipCallId)
        {
            return;
        }

        var rungs = _byCallId.GetOrAdd(sipCallId, Remember);
        rungs.Add(new(trace.At, trace.Direction == SipTraceDirection.Received, trace.Transport.ToString().ToLowerInvariant(),
            trace.Remote.ToString(), Summary(trace), trace.Message.Length,
            keepsMessages ? trace.Local.ToString() : null, keepsMessages ? MaskedMessage.Of(trace.Message.Span, MaxKeptBytes) : null));
    }

    /// <summary>From now on the messages of this Call-ID are noted on the call; those that waited first.</summary>
    public void Follow(string sipCallId, CallLog log) => _byCallId.GetOrAdd(sipCallId, _ => new(this)).Follow(log);

    public void Forget(string sipCallId) => Remove(sipCallId);

    private void Remove(string sipCallId)
    {
        if (_byCallId.TryRemove(sipCallId, out var rungs))
        {
            rungs.Close();
        }
    }

    private Rungs Remember(string sipCallId)
    {
        _unknown.Enqueue(sipCallId);
        while (_unknown.Count > MaxUnknown && _unknown.TryDequeue(out var oldest))
        {
            if (_byCallId.TryGetValue(oldest, out var rungs) && !rungs.Followed)
            {
                Remove(oldest);
            }
        }

        return new(this);
    }

    // "INVITE sip:1001@host SIP/2.0" -> "INVITE sip:1001@host"; "SIP/2.0 200 OK" -> "200 OK"
    private static string Summary(SipTrace trace)
    {
        const string version = "SIP/2.0";
        var line = trace.StartLine;
        return line.StartsWith(version, StringComparison.Ordinal) ? line[version.Length..].Trim()
            : line.EndsWith(version, StringComparison.Ordinal) ? line[..^version.Length].Trim()
            : line;
    }

    private bool TryWait(int bytes)
    {
        if (Interlocked.Add(ref _waitingBytes, bytes) <= MaxWaitingBytes)
        {
            return true;
        }

        Interlocked.Add(ref _waitingBytes, -bytes);
        return false;
    }

    /// <summary>The messages of one Call-ID; its gate guards all that is here.</summary>
    private sealed class Rungs(SipLadder ladder)
    {
        private readonly Lock _gate = new();
        private List<SipMessageLogged>? _waiting = [];
        private CallLog? _log;
        private int _noted, _waitingBytes, _keptBytes;

        public bool Followed => _log is not null;

        public void Add(SipMessageLogged message)
        {
            lock (_gate)
            {
                if (_log is not null)
                {
                    Note(message);
                }
                else if (_waiting is { Count: < MaxMessagesWaiting })
                {
                    Wait(_waiting, message);
                }
            }
        }

        public void Follow(CallLog log)
        {
            lock (_gate)
            {
                _log = log;
                _waiting?.ForEach(Note);
                StopWaiting();
            }
        }

        /// <summary>Nobody will ask for these any more.</summary>
        public void Close()
        {
            lock (_gate)
            {
                StopWaiting();
            }
        }

        private void Wait(List<SipMessageLogged> waiting, SipMessageLogged message)
        {
            var bytes = SizeOf(message);
            var fits = ladder.TryWait(bytes);
            _waitingBytes += fits ? bytes : 0;
            waiting.Add(fits ? message : WithoutText(message));
        }

        private void StopWaiting()
        {
            Interlocked.Add(ref ladder._waitingBytes, -_waitingBytes);
            _waitingBytes = 0;
            _waiting = null;
        }

        private void Note(SipMessageLogged message)
        {
            if (_noted++ >= MaxMessagesPerCall)
            {
                return;
            }

            var bytes = SizeOf(message);
            var fits = _keptBytes + bytes <= MaxKeptBytesPerCall;
            _keptBytes += fits ? bytes : 0;
            _log!.Note(fits ? message : WithoutText(message));
        }

        private static int SizeOf(SipMessageLogged message) => message.Text is { } text ? text.Length * sizeof(char) : 0;

        private static SipMessageLogged WithoutText(SipMessageLogged message) => message with { Local = null, Text = null };
    }
}
