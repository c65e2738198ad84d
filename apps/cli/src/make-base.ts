/** The program that the control plane asks for a base when no base registry can be reached. */
import "@lamina/servers/make-base";
