namespace Sentiric.Sip;

/// <summary>What outgoing calls may cost at most.</summary>
public sealed record TollRules
{
    /// <summary>
    /// Beginnings of numbers in E.164 without "+", the longest that fits decides; "" fits all. Nothing that fits: denied.
    /// </summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>The same for what is denied; where both fit equally, denied.</summary>
    public IReadOnlyList<string> Deny { get; init; } = [];

    /// <summary>Hosts that a REFER may send a call to by name instead of number, in lower case.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public int MaxConcurrent { get; init; } = 10;

    /// <summary>Talk time of one day together; a day begins at midnight in <see cref="Zone"/>.</summary>
    public TimeSpan MaxPerDay { get; init; } = TimeSpan.FromHours(10);

    /// <summary>One call ends after this at the latest. Calls under way are not foreseen: a day may be overrun by what those that run at its end still talk.</summary>
    public TimeSpan MaxCall { get; init; } = TimeSpan.FromHours(2);

    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Any number, any count, any time: for who asks elsewhere.</summary>
    public static TollRules Unlimited { get; } = new() { Allow = [""], MaxConcurrent = int.MaxValue, MaxPerDay = TimeSpan.MaxValue, MaxCall = TimeSpan.MaxValue };
}

/// <summary>Why a call may not be placed.</summary>
public enum TollRefusal
{
    None,

    /// <summary>No number, or one that is not written in digits.</summary>
    NoNumber,
    Prefix,
    Host,
    Concurrent,
    DayUsedUp,

    /// <summary>So many accounts have calls today that no more can be counted.</summary>
    TooManyAccounts,
}

/// <summary>The answer; a permitted call must be ended through <see cref="TollPolicy.End"/>, whether it was answered or not.</summary>
/// <param name="MaxTalk">The call must end after this long.</param>
public sealed record TollVerdict(TollRefusal Refusal, TollCall? Call, TimeSpan MaxTalk)
{
    public bool IsAllowed => Call is not null;
}

/// <summary>A permitted call.</summary>
public sealed class TollCall(string account)
{
    public string Account => account;

    /// <summary>Set once by the policy.</summary>
    internal bool IsOver { get; set; }
}

/// <summary>
/// Keeps outgoing calls and the targets of REFER within rules: where to, how many at once, how long a day. The default is to deny. Counts per account
/// (a tenant, a user). Thread-safe.
/// </summary>
public sealed class TollPolicy(TollRules rules, TimeProvider time)
{
    /// <summary>Accounts with calls or talk time today.</summary>
    public const int MaxAccounts = 10_000;
    private const int LongestNumber = 15;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Usage> accounts = new(StringComparer.Ordinal);

    /// <summary>
    /// E.164 digits of a URI's number: "+90 (532)..." and "00..." and visual separators (RFC 3966 5.1.1); null when it is no number.
    /// </summary>
    public static string? NumberOf(SipUri uri) => NumberOf(uri.UserText);

    /// <summary>The same of what stands before "@", or of a number by itself.</summary>
    public static string? NumberOf(string text)
    {
        int parameters = text.AsSpan().IndexOf(';');
        ReadOnlySpan<char> number = parameters < 0 ? text : text.AsSpan(0, parameters);
        Span<char> digits = stackalloc char[LongestNumber + 2];
        int count = 0;
        bool international = number.StartsWith("+");
        foreach (char c in international ? number[1..] : number)
        {
            if (c is '-' or '.' or '(' or ')' or ' ')
            {
                continue;
            }

            if (!char.IsAsciiDigit(c) || count == digits.Length)
            {
                return null;
            }

            digits[count++] = c;
        }

        ReadOnlySpan<char> found = digits[..count];
        found = !international && found.StartsWith("00") ? found[2..] : found;
        return found.Length is > 0 and <= LongestNumber ? found.ToString() : null;
    }

    /// <summary>Whether a call may go there, without counting it.</summary>
    public TollRefusal Check(SipUri target)
    {
        if (NumberOf(target) is { } number)
        {
            return IsAllowed(number) ? TollRefusal.None : TollRefusal.Prefix;
        }

        // Letters in the user part: an address, not a number. Without a user there is nobody to call.
        return target is { IsSip: true, User: not null } ? rules.Hosts.Contains(target.Host.ToLowerInvariant()) ? TollRefusal.None : TollRefusal.Host : TollRefusal.NoNumber;
    }

    /// <summary>Whether a number may be called, without counting it.</summary>
    public TollRefusal Check(string number) => NumberOf(number) is not { } digits ? TollRefusal.NoNumber : IsAllowed(digits) ? TollRefusal.None : TollRefusal.Prefix;

    /// <summary>Permits and counts a call, or says why not.</summary>
    public TollVerdict TryBegin(string account, SipUri target) => Check(target) is var refusal and not TollRefusal.None ? Refuse(refusal) : TryCount(account);

    /// <summary>Permits and counts a call to a number, or says why not.</summary>
    public TollVerdict TryBegin(string account, string number) => Check(number) is var refusal and not TollRefusal.None ? Refuse(refusal) : TryCount(account);

    /// <summary>Talk time of today that is known from before the start of this process.</summary>
    public void Remember(string account, TimeSpan talked)
    {
        lock (gate)
        {
            if (Find(account) is { } usage)
            {
                usage.Talked += talked > TimeSpan.Zero ? talked : TimeSpan.Zero;
            }
        }
    }

    /// <summary>When the day that is counted now began.</summary>
    public DateTimeOffset DayBegan
    {
        get
        {
            DateTime midnight = TimeZoneInfo.ConvertTime(time.GetUtcNow(), rules.Zone).Date;
            return new DateTimeOffset(midnight, rules.Zone.GetUtcOffset(midnight)).ToUniversalTime();
        }
    }

    /// <summary>What an account has used: calls now, talk time today.</summary>
    public (int Concurrent, TimeSpan Talked) Used(string account)
    {
        lock (gate)
        {
            return Find(account) is { } usage ? (usage.Concurrent, usage.Talked) : (0, TimeSpan.Zero);
        }
    }

    private TollVerdict TryCount(string account)
    {
        lock (gate)
        {
            if (Find(account) is not { } usage)
            {
                return Refuse(TollRefusal.TooManyAccounts);
            }

            if (usage.Concurrent >= rules.MaxConcurrent)
            {
                return Refuse(TollRefusal.Concurrent);
            }

            TimeSpan left = rules.MaxPerDay - usage.Talked;
            if (left <= TimeSpan.Zero)
            {
                return Refuse(TollRefusal.DayUsedUp);
            }

            usage.Concurrent++;
            return new TollVerdict(TollRefusal.None, new TollCall(account), left < rules.MaxCall ? left : rules.MaxCall);
        }
    }

    /// <summary>Counts what was talked; zero for a call that was not answered. A second time changes nothing.</summary>
    public void End(TollCall call, TimeSpan talked)
    {
        lock (gate)
        {
            if (call.IsOver)
            {
                return;
            }

            call.IsOver = true;
            if (Find(call.Account) is { } usage)
            {
                usage.Concurrent = Math.Max(0, usage.Concurrent - 1);
                usage.Talked += talked > TimeSpan.Zero ? talked : TimeSpan.Zero;
            }
        }
    }

    private static TollVerdict Refuse(TollRefusal why) => new(why, null, TimeSpan.Zero);

    private bool IsAllowed(string number)
    {
        int allowed = Longest(rules.Allow, number);
        return allowed >= 0 && allowed > Longest(rules.Deny, number);
    }

    /// <summary>Length of the longest beginning that fits; -1 when none does.</summary>
    private static int Longest(IReadOnlyList<string> beginnings, string number) =>
        beginnings.Where(one => number.StartsWith(one, StringComparison.Ordinal)).Select(one => one.Length).DefaultIfEmpty(-1).Max();

    private Usage? Find(string account)
    {
        DateOnly today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), rules.Zone).DateTime);
        if (!accounts.TryGetValue(account, out Usage? usage))
        {
            if (accounts.Count >= MaxAccounts)
            {
                Forget(today);
            }

            if (accounts.Count >= MaxAccounts)
            {
                return null;
            }

            usage = accounts[account] = new Usage { Day = today };
        }

        if (usage.Day != today)
        {
            usage.Day = today;
            usage.Talked = TimeSpan.Zero;
        }

        return usage;
    }

    private void Forget(DateOnly today)
    {
        foreach (string old in accounts.Where(one => one.Value.Day != today && one.Value.Concurrent == 0).Select(one => one.Key).ToList())
        {
            accounts.Remove(old);
        }
    }

    private sealed class Usage
    {
        public DateOnly Day { get; set; }

        public int Concurrent { get; set; }

        public TimeSpan Talked { get; set; }
    }
}
