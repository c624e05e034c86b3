namespace Sentiric.Sip;

/// <summary>What a dialog must remember (RFC 3261 12.1). From, To and routes are kept byte for byte. Owned by the shard's queue.</summary>
internal sealed class DialogState
{
    public required DialogKey Key { get; init; }

    /// <summary>Our name-addr with tag: From in our requests.</summary>
    public required string Local { get; init; }

    /// <summary>Theirs with tag: To in our requests.</summary>
    public required string Remote { get; init; }

    public required SipUri LocalUri { get; init; }

    public required SipUri RemoteUri { get; init; }

    /// <summary>First hop first. An early dialog learns them anew from the 2xx (13.2.2.4).</summary>
    public required IReadOnlyList<NameAddr> Routes { get; set; }

    /// <summary>How the peer was reached when the dialog began.</summary>
    public required SipTarget Flow { get; init; }

    public required string Contact { get; init; }

    public SipUri RemoteTarget { get; set; } = SipUri.Parse("sip:invalid");

    public uint LocalSequence { get; set; }

    public uint? RemoteSequence { get; set; }

    /// <summary>We sent the first INVITE; decides who waits longer after glare (14.1).</summary>
    public bool OwnsCallId { get; init; }

    /// <summary>Where requests go first (12.2.1.1).</summary>
    public SipUri NextHop => Routes.Count > 0 ? Routes[0].Uri : RemoteTarget;

    /// <summary>RFC 3261 12.1.1.</summary>
    public static DialogState OfUas(SipRequest invite, string localTag, SipTarget flow, string contact) => new()
    {
        Key = new DialogKey(invite.CallId, localTag, invite.From.Tag ?? ""),
        Local = invite.To.Wire + ";tag=" + localTag,
        Remote = invite.From.Wire,
        LocalUri = invite.To.Uri,
        RemoteUri = invite.From.Uri,
        Routes = invite.RecordRoutes,
        Flow = flow,
        Contact = contact,
        RemoteTarget = invite.Contacts.Count > 0 ? invite.Contacts[0].Uri : invite.From.Uri,
        RemoteSequence = invite.CSeq.Number,
        LocalSequence = SipRandom.NextSequence(),
    };

    /// <summary>RFC 3261 12.1.2: the route set is Record-Route in reverse.</summary>
    public static DialogState OfUac(RequestDraft invite, SipResponse response, SipUri requestUri, SipTarget flow) => new()
    {
        Key = new DialogKey(invite.CallId, response.From.Tag ?? "", response.To.Tag ?? ""),
        Local = invite.From,
        Remote = response.To.Wire,
        LocalUri = response.From.Uri,
        RemoteUri = response.To.Uri,
        Routes = response.RecordRoutes.Reverse().ToList(),
        Flow = flow,
        Contact = invite.Contact ?? "",
        RemoteTarget = response.Contacts.Count > 0 ? response.Contacts[0].Uri : requestUri,
        LocalSequence = invite.CSeq,
        OwnsCallId = true,
    };

    /// <summary>13.2.2.4: what an early dialog knew of routes and target gives way to what the 2xx says.</summary>
    public void LearnFrom(SipResponse success)
    {
        Routes = success.RecordRoutes.Reverse().ToList();
        RemoteTarget = success.Contacts.Count > 0 ? success.Contacts[0].Uri : RemoteTarget;
    }

    /// <summary>RFC 3261 12.2.1.1: a request with the next CSeq, or with a given one for ACK.</summary>
    public RequestDraft Request(string method, uint? sequence = null)
    {
        bool loose = Routes.Count == 0 || Routes[0].Uri.HasParameter("lr");
        IEnumerable<string> routes = Routes.Select(route => route.Wire);
        return new RequestDraft
        {
            Method = method,
            // A strict router wants itself in the Request-URI and the target at the end of the routes.
            Uri = loose ? RemoteTarget.ToString() : Routes[0].Uri.ToString(),
            Routes = (loose ? routes : routes.Skip(1).Append($"<{RemoteTarget}>")).ToList(),
            From = Local,
            To = Remote,
            CallId = Key.CallId,
            CSeq = sequence ?? ++LocalSequence,
        };
    }
}
