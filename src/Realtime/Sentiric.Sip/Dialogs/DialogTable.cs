namespace Sentiric.Sip;

/// <summary>RFC 3261 12: Call-ID, local tag and remote tag; an RFC 2543 peer has no tag (12.1.1).</summary>
internal readonly record struct DialogKey(string CallId, string LocalTag, string RemoteTag);

/// <summary>Takes what arrives in a dialog, early or confirmed.</summary>
internal interface IDialogUser
{
    void Take(ServerTransaction transaction);

    void TakeAck(SipRequest ack);
}

/// <summary>Whom a CANCEL means: the owner of an INVITE that has no final response yet.</summary>
internal interface IInviteOwner
{
    string LocalTag { get; }

    void Cancel(SipRequest cancel);
}

/// <summary>All dialogs of a shard by key. Owned by the shard's queue.</summary>
internal sealed class DialogTable
{
    /// <summary>Dialogs remembered after their end: RFC 3891 3 answers 603 when one of them shall be replaced.</summary>
    private const int MaxRemembered = 256;

    private readonly Dictionary<DialogKey, IDialogUser> dialogs = [];
    private readonly DialogKey[] ended = new DialogKey[MaxRemembered];
    private int nextEnded;

    public int Count => dialogs.Count;

    public IReadOnlyList<SipDialog> Confirmed => dialogs.Values.OfType<SipDialog>().Where(dialog => dialog.IsConfirmed).ToList();

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

    public IDialogUser? Find(DialogKey key) => dialogs.GetValueOrDefault(key);

    /// <summary>The last ones only, in a ring: it costs a call nothing.</summary>
    public void Remember(in DialogKey key)
    {
        ended[nextEnded] = key;
        nextEnded = (nextEnded + 1) % MaxRemembered;
    }

    public bool HasEnded(DialogKey key) => Array.IndexOf(ended, key) >= 0;

    public IDialogUser? Find(SipRequest request) => request.To.Tag is { } local
        ? dialogs.GetValueOrDefault(new DialogKey(request.CallId, local, request.From.Tag ?? ""))
        : null;
}
