namespace Sentiric.Sip.Tests.Kit;

/// <summary>Copies of a message with some bytes exchanged for those that mean something in SIP; some are cut short.</summary>
internal static class Twisted
{
    private const string Poison = "\r\n \t\0:;,<>\"@?=%\\[]zZ09-+\u00ff";

    public static byte[] Copy(byte[] message, Random dice)
    {
        var bytes = (byte[])message.Clone();
        for (int i = dice.Next(0, 8); i > 0; i--)
        {
            bytes[dice.Next(bytes.Length)] = (byte)Poison[dice.Next(Poison.Length)];
        }

        return dice.Next(4) == 0 ? bytes[..dice.Next(bytes.Length)] : bytes;
    }
}
