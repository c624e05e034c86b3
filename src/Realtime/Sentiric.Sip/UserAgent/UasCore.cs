namespace Sentiric.Sip;

/// <summary>The order in which a user agent server looks at a new request (RFC 3261 8.2, 9.2, 11.2, 12.2.2). Owned by the shard's queue.</summary>
internal sealed class UasCore(SipShard shard)
{
    private const string SdpType = "application/sdp";

    public void Take(ServerTransaction transaction, bool merged)
    {
        SipRequest request = transaction.Request;
        if (request.Is(SipMethod.Cancel))
        {
            TakeCancel(transaction);
        }
        else if (Refusal(request, merged) is { } refusal)
        {
            Respond(shard, transaction, refusal.StatusCode, null, null, refusal.Headers?.ToArray() ?? []);
        }
        else if (request.To.Tag is not null)
        {
            TakeInDialog(transaction);
        }
        else if (request.Is(SipMethod.Invite))
        {
            Open(transaction);
        }
        else if (request.Is(SipMethod.Options))
        {
            RespondToOptions(shard, transaction, SipShard.NewTag());
        }
        else if (request.Is(SipMethod.Register))
        {
            _ = RegisterAsync(transaction);
        }
        else if (request.Is(SipMethod.Refer))
        {
            // RFC 3515 6: outside of a call nobody may make us call somebody.
            Respond(shard, transaction, 403, null, null);
        }
        else
        {
            // BYE, UPDATE, INFO ... outside of any dialog (15.1.2).
            Respond(shard, transaction, 481, null, null);
        }
    }

    /// <summary>An ACK that no transaction knows belongs to a 2xx; ACKs are never answered (13.2.2.4, 17).</summary>
    public void TakeAck(SipRequest ack) => shard.Dialogs.Find(ack)?.TakeAck(ack);

    public static void Respond(
        SipShard shard, ServerTransaction transaction, int statusCode, string? reason, string? tag, params ReadOnlySpan<KeyValuePair<string, string>> headers)
    {
        SipWriter writer = ResponseDraft.Begin(transaction.Request.Raw, transaction.Source, statusCode, reason, tag ?? SipShard.NewTag());
        foreach (var (name, value) in headers)
        {
            writer.Header(name, value);
        }

        transaction.Respond(statusCode, writer.Header("Server", shard.Options.UserAgentName).End());
    }

    /// <summary>RFC 3261 11.2: what we can do.</summary>
    public static void RespondToOptions(SipShard shard, ServerTransaction transaction, string tag)
    {
        string contact = shard.Routes.ContactFor(new SipTarget(transaction.Transport, transaction.Source), null);
        Respond(shard, transaction, 200, null, tag,
            new("Allow", shard.Allow), new("Accept", SdpType), new("Accept-Encoding", "identity"), new("Supported", shard.Supported), new("Contact", contact));
    }

    /// <summary>8.2.1 method, 8.2.2.1 URI, 8.2.2.2 merged, 8.2.2.3 Require, 8.2.3 content; null when the request may go on.</summary>
    private SipAnswer? Refusal(SipRequest request, bool merged)
    {
        if (!IsAllowed(request.Method))
        {
            return SipMethod.IsStandard(request.Method) ? new SipAnswer(405, null, [new("Allow", shard.Allow)]) : new SipAnswer(501, null, [new("Allow", shard.Allow)]);
        }

        if (!request.Uri.IsSip && request.Uri.Scheme != "tel")
        {
            return new SipAnswer(416);
        }

        if (merged)
        {
            return new SipAnswer(482);
        }

        if (request.Raw.Find(SipHeaderId.Require) >= 0 && request.Tokens("Require").Where(option => !shard.Capabilities.Knows(option)).ToList() is { Count: > 0 } unknown)
        {
            return new SipAnswer(420, null, [new("Unsupported", string.Join(", ", unknown))]);
        }

        return request.Method switch
        {
            SipMethod.Invite => ContentRefusal(request) ?? SessionRefusal(request),
            SipMethod.Update or SipMethod.Prack => ContentRefusal(request),
            _ => null,
        };
    }

    /// <summary>421 where reliable progress is demanded (RFC 3261 21.4.16), 422 for a session interval that is too short (RFC 4028 9).</summary>
    private SipAnswer? SessionRefusal(SipRequest request) =>
        shard.Options.Sessions.RequireReliability && request.To.Tag is null && !request.Supports(SipCapabilities.Reliable)
            ? new SipAnswer(421, null, [new("Require", SipCapabilities.Reliable)])
            : request.To.Tag is null ? SessionTerms.Refusal(request, shard.Options.Sessions) : null;

    private void Open(ServerTransaction transaction)
    {
        SipDialog? replaced = null;
        if (shard.Options.Sessions.Transfers && Replacement.Find(shard, transaction.Request, out replaced) is { } refusal)
        {
            Respond(shard, transaction, refusal.StatusCode, refusal.Reason, null);
            return;
        }

        var invite = new UasInvite(shard, transaction, replaced);
        transaction.Call = invite;
        invite.Begin();
    }

    private static SipAnswer? ContentRefusal(SipRequest request)
    {
        if (request.Body.Length > 0 && !request.ContentTypeIs(SdpType))
        {
            return new SipAnswer(415, null, [new("Accept", SdpType)]);
        }

        if (request.Header("Content-Encoding") is not null && request.Tokens("Content-Encoding") is { Count: > 0 } encodings && !encodings.All(one => one.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            return new SipAnswer(415, null, [new("Accept-Encoding", "identity")]);
        }

        // RFC 4475 3.3.15: our answer would be SDP; without Accept it is welcome (20.1).
        bool namesTypes = request.Raw.Find(SipHeaderId.Accept) >= 0;
        return namesTypes && !request.Tokens("Accept").Any(TakesSdp) ? new SipAnswer(406) : null;
    }

    private static bool TakesSdp(string range)
    {
        string type = range.Split(';', StringSplitOptions.TrimEntries)[0];
        return type is "*/*" || type.Equals(SdpType, StringComparison.OrdinalIgnoreCase) || type.Equals("application/*", StringComparison.OrdinalIgnoreCase);
    }

    private bool IsAllowed(string method) =>
        method is SipMethod.Invite or SipMethod.Bye or SipMethod.Options or SipMethod.Prack or SipMethod.Update or SipMethod.Info
        || (method is SipMethod.Refer or SipMethod.Notify && shard.Options.Sessions.Transfers)
        || (method is SipMethod.Register && shard.Options.Registrar is not null);

    /// <summary>9.2: the CANCEL is answered by itself, and the INVITE that it means gets 487 when it still waits.</summary>
    private void TakeCancel(ServerTransaction cancel)
    {
        if (shard.FindInvite(cancel.Request) is not { } target)
        {
            Respond(shard, cancel, 481, null, null);
            return;
        }

        Respond(shard, cancel, 200, null, target.CallTag);
        target.CancelCall(cancel.Request);
    }

    private void TakeInDialog(ServerTransaction transaction)
    {
        if (shard.Dialogs.Find(transaction.Request) is { } dialog)
        {
            dialog.Take(transaction);
        }
        else
        {
            Respond(shard, transaction, 481, null, null);
        }
    }

    private async Task RegisterAsync(ServerTransaction transaction)
    {
        SipAnswer answer;
        try
        {
            answer = shard.Options.Registrar is { } registrar
                ? await Task.Run(() => registrar.RegisterAsync(transaction.Request, transaction.Source, shard.Stopping.Token)).ConfigureAwait(false)
                : new SipAnswer(405);
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, transaction.Request.CallId, fault);
            answer = new SipAnswer(500);
        }

        shard.Queue.Post(() => Respond(shard, transaction, answer.StatusCode, answer.Reason, null, answer.Headers?.ToArray() ?? []));
    }
}
