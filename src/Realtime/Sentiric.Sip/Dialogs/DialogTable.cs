namespace Sentiric.Sip;

/// <summary>RFC 3261 12: Call-ID, local tag and remote tag; an RFC 2543 peer has no tag (12.1.1).</summary>
internal readonly record struct DialogKey(string CallId, string LocalTag, string RemoteTag);

/// <summary>Takes what arrives in a dialog, early or confirmed.</summary>
internal interface IDialogUser
{
    void Take(ServerTransaction transaction);

    void TakeAck(SipRequest ack);
}

/// <summary>All dialogs of a shard by key. Owned by the shard's queue.</summary>
internal sealed class DialogTable
{
    private readonly Dictionary<DialogKey, IDialogUser> dialogs = [];

    public int Count => dialogs.Count;

    public IReadOnlyList<SipDialog> Confirmed => dialogs.Values.OfType<SipDialog>().ToList();

    public IReadOnlyList<UasInvite> Early => dialogs.Values.OfType<UasInvite>().ToList();

    /// <summary>Replaces the early dialog by the confirmed one under the same key.</summary>
    public void Put(DialogKey key, IDialogUser user) => dialogs[key] = user;

    public void Remove(DialogKey key, IDialogUser user)
    {
        if (dialogs.TryGetValue(key, out IDialogUser? known) && ReferenceEquals(known, user))
        {
            dialogs.Remove(key);
        }
    }

    public IDialogUser? Find(SipRequest request) => request.To.Tag is { } local
        ? dialogs.GetValueOrDefault(new DialogKey(request.CallId, local, request.From.Tag ?? ""))
        : null;
}
