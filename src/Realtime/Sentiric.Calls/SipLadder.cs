using System.Collections.Concurrent;
using Sentiric.Contracts.Events;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>
/// Turns the trace of the SIP stack into the ladder of each call. The trace of an INVITE comes before its call exists, so messages of
/// unknown Call-IDs wait, for a bounded number of them, oldest out.
/// </summary>
public sealed class SipLadder
{
    private const int MaxUnknown = 2_000;
    private const int MaxMessagesWaiting = 20;
    private const int MaxMessagesPerCall = 200;
    private readonly ConcurrentDictionary<string, Rungs> _byCallId = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _unknown = new();

    public void Trace(SipTrace trace)
    {
        if (trace.CallId is not { } sipCallId)
        {
            return;
        }

        var rungs = _byCallId.GetOrAdd(sipCallId, Remember);
        rungs.Add(new(trace.At, trace.Direction == SipTraceDirection.Received, trace.Transport.ToString().ToLowerInvariant(),
            trace.Remote.ToString(), Summary(trace), trace.Message.Length));
    }

    /// <summary>From now on the messages of this Call-ID are noted on the call; those that waited first.</summary>
    public void Follow(string sipCallId, CallLog log) => _byCallId.GetOrAdd(sipCallId, _ => new()).Follow(log);

    public void Forget(string sipCallId) => _byCallId.TryRemove(sipCallId, out _);

    private Rungs Remember(string sipCallId)
    {
        _unknown.Enqueue(sipCallId);
        while (_unknown.Count > MaxUnknown && _unknown.TryDequeue(out var oldest))
        {
            if (_byCallId.TryGetValue(oldest, out var rungs) && !rungs.Followed)
            {
                _byCallId.TryRemove(oldest, out _);
            }
        }

        return new();
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

    private sealed class Rungs
    {
        private readonly Lock _gate = new();
        private List<SipMessageLogged>? _waiting = [];
        private CallLog? _log;
        private int _noted;

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
                    _waiting.Add(message);
                }
            }
        }

        public void Follow(CallLog log)
        {
            lock (_gate)
            {
                _log = log;
                _waiting?.ForEach(Note);
                _waiting = null;
            }
        }

        private void Note(SipMessageLogged message)
        {
            if (_noted++ < MaxMessagesPerCall)
            {
                _log!.Note(message);
            }
        }
    }
}
