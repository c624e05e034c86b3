using System.Net;

namespace Sentiric.Sip;

/// <summary>The realm in which carriers prove themselves to us.</summary>
public static class TrunkRealm
{
    public const string Name = "trunk";
}

/// <summary>
/// Lets calls of carriers in: those that must prove themselves get a challenge (RFC 3261 22), and wrong passwords lock them out like anybody. Thread-safe.
/// </summary>
public sealed class TrunkGate : ICredentialStore
{
    private readonly TrunkTable table;
    private readonly SipGuard? guard;
    private readonly DigestServer digest;

    public TrunkGate(TrunkTable table, TimeProvider time, SipGuard? guard = null)
    {
        this.table = table;
        this.guard = guard;
        digest = new DigestServer(TrunkRealm.Name, this, time);
    }

    /// <summary>True when the call may go on; else it has been refused.</summary>
    public async Task<bool> AdmitAsync(IncomingInvite invite, CancellationToken ct)
    {
        if (invite.Trunk?.Inbound is not { } account)
        {
            return true;
        }

        IPAddress source = invite.Source.Address;
        DigestVerdict verdict = await digest.CheckAsync(invite.Request, ct).ConfigureAwait(false);
        bool locked = guard?.LockOut?.IsLockedOut(source, account.UserName) == true;
        if (verdict.Outcome == DigestOutcome.Wrong)
        {
            guard?.LockOut?.Failed(source, verdict.UserName ?? "");
            guard?.Tell(source, GuardReason.WrongPassword);
        }

        // The account of another trunk proves nothing about this one.
        if (!locked && verdict.Account is { } proven && proven.UserName == account.UserName)
        {
            guard?.LockOut?.Succeeded(source, account.UserName);
            return true;
        }

        SipAnswer answer = locked || verdict.Challenge is null ? new SipAnswer(403) : verdict.Challenge;
        await invite.RejectAsync(answer.StatusCode, answer.Reason, answer.Headers).ConfigureAwait(false);
        return false;
    }

    ValueTask<SipAccount?> ICredentialStore.FindAsync(string realm, string userName, CancellationToken ct) =>
        ValueTask.FromResult(table.All.FirstOrDefault(trunk => trunk.Inbound?.UserName == userName)?.Inbound);
}
