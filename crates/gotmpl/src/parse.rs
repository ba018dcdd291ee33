//! Tokens to templates, with Go's messages.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::builtin::Builtin;
use crate::error::Error;
use crate::function::Functions;
use crate::lex::{Kind, Lexer, Token};
use crate::node::{
    Arg, ArgKind, Branch, Command, FunctionRef, List, Name, Node, Pipe, Pos, Target, TemplateCall, Text,
};
use crate::number;
use crate::quote::{quoted, unquote};
use crate::template::{Parsed, Template, Unit};

/// How deep blocks and parentheses may be nested together. Go allows 10000 parentheses and any number of
/// blocks; the executor recurses as deep as the template is nested, so this bounds its stack too.
pub const MAX_NESTING: usize = 1000;

/// Texts longer than this are refused: positions are 32 bits.
const MAX_TEXT: usize = 1 << 30;

/// Parses a text and the definitions in it. Unknown functions are errors; builtins need no entry.
pub fn parse(name: &str, text: &str, functions: &Functions) -> Result<Parsed> {
    parse_at(name, name, text, functions)
}

/// The same for a text whose name says too little about where it stands; see [`Unit::place`].
pub(crate) fn parse_at(name: &str, place: &str, text: &str, functions: &Functions) -> Result<Parsed> {
    let unit = Arc::new(Unit {
        name: name.into(),
        text: text.into(),
        place: place.into(),
    });
    if text.len() > MAX_TEXT {
        return Err(Error::parse(format!(
            "template: {name}:1: text longer than {MAX_TEXT} bytes"
        )));
    }
    let break_ok = functions.id("break").is_none();
    let continue_ok = functions.id("continue").is_none();
    let mut parser = Parser {
        lexer: Lexer::new(text, "{{", "}}", break_ok, continue_ok),
        pending: Vec::with_capacity(4),
        unit: Arc::clone(&unit),
        functions,
        frame: Frame::new(),
        names: HashMap::new(),
        name_list: HashSet::new(),
        templates: Vec::new(),
        nesting: 0,
    };
    let root = parser.top()?;
    let name: Arc<str> = name.into();
    parser.add(Template::new(Arc::clone(&name), unit, root))?;
    let templates = parser.templates;
    let main = templates.iter().find(|template| template.name == name);
    match main {
        Some(main) => Ok(Parsed {
            main: Arc::clone(main),
            templates: templates.clone(),
        }),
        None => Err(Error::parse(format!("template: {name}: no template"))),
    }
}

/// What Go keeps per template while it parses one.
struct Frame {
    /// Line of the token read last.
    line: usize,
    variables: Vec<Arc<str>>,
    action_line: usize,
    range_depth: usize,
}

impl Frame {
    fn new() -> Self {
        Self {
            line: 0,
            variables: vec!["$".into()],
            action_line: 0,
            range_depth: 0,
        }
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// Tokens given back, the next one last.
    pending: Vec<Token<'t>>,
    unit: Arc<Unit>,
    functions: &'t Functions,
    frame: Frame,
    names: HashMap<Arc<str>, u32>,
    name_list: HashSet<Arc<str>>,
    templates: Vec<Arc<Template>>,
    nesting: usize,
}

/// What ended a list.
enum End {
    End,
    Else,
}

impl End {
    fn text(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// What an action turned out to be.
enum Item {
    Node(Node),
    End(End),
}

type Result<T> = std::result::Result<T, Error>;

impl<'t> Parser<'t> {
    fn error<T>(&self, message: impl AsRef<str>) -> Result<T> {
        Err(Error::parse(format!(
            "template: {}:{}: {}",
            self.unit.name,
            self.frame.line,
            message.as_ref()
        )))
    }

    fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Result<T> {
        if token.kind == Kind::Error {
            let mut extra = String::new();
            if self.frame.action_line != 0 && self.frame.action_line != token.line {
                extra = format!(" in action started at {}:{}", self.unit.name, self.frame.action_line);
                if token.text.ends_with(" action") {
                    extra = extra.replacen(" in action", "", 1);
                }
            }
            return self.error(format!("{}{extra}", token.text));
        }
        self.error(format!("unexpected {} in {context}", token.describe()))
    }

    fn next(&mut self) -> Token<'t> {
        if let Some(token) = self.pending.pop() {
            return token;
        }
        let token = self.lexer.token();
        self.frame.line = token.line;
        token
    }

    fn back(&mut self, token: Token<'t>) {
        self.pending.push(token);
    }

    fn peek(&mut self) -> Kind {
        let token = self.next();
        let kind = token.kind;
        self.back(token);
        kind
    }

    fn next_non_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    /// Skips spaces and returns kind and position of what follows.
    fn peek_non_space(&mut self) -> (Kind, usize) {
        let token = self.next_non_space();
        let seen = (token.kind, token.pos);
        self.back(token);
        seen
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token<'t>> {
        let token = self.next_non_space();
        if token.kind != kind {
            return self.unexpected(&token, context);
        }
        Ok(token)
    }

    fn deeper(&mut self, message: &str) -> Result<()> {
        if self.nesting >= MAX_NESTING {
            return self.error(message);
        }
        self.nesting += 1;
        Ok(())
    }

    fn add(&mut self, template: Template) -> Result<()> {
        let slot = self.templates.iter().position(|known| known.name == template.name);
        let Some(known) = slot.and_then(|slot| self.templates.get_mut(slot)) else {
            self.templates.push(Arc::new(template));
            return Ok(());
        };
        if known.empty {
            *known = Arc::new(template);
        } else if !template.empty {
            let name = quoted(&template.name);
            return self.error(format!("template: multiple definition of template {name}"));
        }
        Ok(())
    }

    fn top(&mut self) -> Result<List> {
        let mut list = List::default();
        loop {
            let token = self.next();
            match token.kind {
                Kind::Eof => return Ok(list),
                Kind::LeftDelim => {
                    let word = self.next_non_space();
                    if word.kind == Kind::Define {
                        let outer = std::mem::replace(&mut self.frame, Frame::new());
                        let done = self.definition();
                        done?;
                        self.frame = outer;
                        continue;
                    }
                    self.back(word);
                    self.back(token);
                }
                _ => self.back(token),
            }
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::End(end) => return self.error(format!("unexpected {}", end.text())),
            }
        }
    }

    fn definition(&mut self) -> Result<()> {
        let context = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        self.expect(Kind::RightDelim, context)?;
        let (root, end) = self.item_list()?;
        if let End::Else = end {
            return self.error(format!("unexpected {} in {context}", end.text()));
        }
        self.add(Template::new(name, Arc::clone(&self.unit), root))
    }

    fn template_name(&mut self, token: &Token<'_>, context: &str) -> Result<Arc<str>> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(&token.text) {
            Some(name) => Ok(String::from_utf8_lossy(&name).into()),
            None => self.error("invalid syntax"),
        }
    }

    fn item_list(&mut self) -> Result<(List, End)> {
        let mut list = List::default();
        while self.peek_non_space().0 != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::End(end) => return Ok((list, end)),
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text {
                start: token.pos as Pos,
                end: (token.pos + token.text.len()) as Pos,
            })),
            Kind::LeftDelim => {
                self.frame.action_line = token.line;
                let item = self.action()?;
                self.frame.action_line = 0;
                Ok(item)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break | Kind::Continue => {
                let is_break = token.kind == Kind::Break;
                let context = if is_break { "{{break}}" } else { "{{continue}}" };
                let after = self.next_non_space();
                if after.kind != Kind::RightDelim {
                    return self.unexpected(&after, context);
                }
                if self.frame.range_depth == 0 {
                    return self.error(format!("{context} outside {{{{range}}}}"));
                }
                if is_break { Node::Break } else { Node::Continue }
            }
            Kind::Else => {
                let (kind, _) = self.peek_non_space();
                if !matches!(kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::End(End::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End(End::End));
            }
            Kind::If => Node::If(self.control("if")?),
            Kind::Range => Node::Range(self.control("range")?),
            Kind::With => Node::With(self.control("with")?),
            Kind::Template => {
                let context = "template clause";
                let token = self.next_non_space();
                let name = self.template_name(&token, context)?;
                let after = self.next_non_space();
                let pipe = if after.kind == Kind::RightDelim {
                    None
                } else {
                    self.back(after);
                    Some(self.pipeline(context, Kind::RightDelim)?)
                };
                Node::Template(TemplateCall {
                    pos: token.pos as Pos,
                    name,
                    pipe,
                })
            }
            _ => {
                self.back(token);
                Node::Action(self.pipeline("command", Kind::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn block(&mut self) -> Result<Node> {
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        self.deeper("max block depth exceeded")?;
        let outer = std::mem::replace(&mut self.frame, Frame::new());
        let (root, end) = self.item_list()?;
        self.nesting -= 1;
        let inner = std::mem::replace(&mut self.frame, outer);
        if let End::Else = end {
            return self.error(format!("unexpected {} in {context}", end.text()));
        }
        let outer_line = std::mem::replace(&mut self.frame.line, inner.line);
        self.add(Template::new(Arc::clone(&name), Arc::clone(&self.unit), root))?;
        self.frame.line = outer_line;
        Ok(Node::Template(TemplateCall {
            pos: token.pos as Pos,
            name,
            pipe: Some(pipe),
        }))
    }

    fn control(&mut self, context: &'static str) -> Result<Branch> {
        self.deeper("max block depth exceeded")?;
        let known = self.frame.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let is_range = context == "range";
        self.frame.range_depth += usize::from(is_range);
        let (list, end) = self.item_list()?;
        self.frame.range_depth -= usize::from(is_range);
        let other = match end {
            End::End => None,
            End::Else => Some(self.otherwise(context)?),
        };
        self.frame.variables.truncate(known);
        self.nesting -= 1;
        Ok(Branch { pipe, list, other })
    }

    fn otherwise(&mut self, context: &str) -> Result<List> {
        let chained = matches!((context, self.peek()), ("if", Kind::If) | ("with", Kind::With));
        if chained {
            self.next();
            let node = if context == "if" {
                Node::If(self.control("if")?)
            } else {
                Node::With(self.control("with")?)
            };
            return Ok(List { nodes: vec![node] });
        }
        let (list, end) = self.item_list()?;
        match end {
            End::End => Ok(list),
            End::Else => self.error("expected end; found {{else}}"),
        }
    }

    fn name(&mut self, text: &str) -> Name {
        if let Some((text, id)) = self.names.get_key_value(text) {
            return Name {
                id: *id,
                text: Arc::clone(text),
            };
        }
        // 0 is `$`, which needs no entry to be found.
        let text: Arc<str> = text.into();
        let id = if &*text == "$" { 0 } else { self.names.len() as u32 + 1 };
        self.names.insert(Arc::clone(&text), id);
        Name { id, text }
    }

    fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.name_list.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.name_list.insert(Arc::clone(&text));
        text
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: &str) {
        let name = self.name(variable);
        self.frame.variables.push(Arc::clone(&name.text));
        pipe.decl.push(name);
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        while self.peek_non_space().0 == Kind::Variable {
            let variable = self.next();
            let after = self.next();
            // Spaces are tokens: what follows them decides whether this is a declaration.
            let (space, next) = if after.kind == Kind::Space {
                let next = self.next_non_space();
                (Some(after), next)
            } else {
                (None, after)
            };
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assign = next.kind == Kind::Assign;
                    self.declare(pipe, &variable.text);
                    return Ok(());
                }
                Kind::Char if next.text == "," => {
                    self.declare(pipe, &variable.text);
                    if context != "range" || pipe.decl.len() >= 2 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    if !matches!(
                        self.peek_non_space().0,
                        Kind::Variable | Kind::RightDelim | Kind::RightParen
                    ) {
                        return self.error("range can only initialize variables");
                    }
                }
                _ => {
                    self.back(next);
                    if let Some(space) = space {
                        self.back(space);
                    }
                    self.back(variable);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let (_, pos) = self.peek_non_space();
        let mut pipe = Pipe {
            pos: pos as Pos,
            assign: false,
            decl: Vec::new(),
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back(token);
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Result<()> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (at, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Some(ArgKind::Bool(_) | ArgKind::Dot | ArgKind::Nil | ArgKind::Number(_) | ArgKind::Text(..)) =
                command.args.first().map(|arg| &arg.kind)
            {
                return self.error(format!("non executable command in pipeline stage {}", at + 1));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let (_, pos) = self.peek_non_space();
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.back(token),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if args.is_empty() {
            return self.error("empty command");
        }
        Ok(Command { pos: pos as Pos, args })
    }

    fn operand(&mut self) -> Result<Option<Arg>> {
        let Some(node) = self.term()? else {
            return Ok(None);
        };
        if self.peek() != Kind::Field {
            return Ok(Some(node));
        }
        let (_, pos) = self.peek_non_space();
        let pos = pos as Pos;
        let mut fields = Vec::new();
        while self.peek() == Kind::Field {
            let token = self.next();
            fields.push(self.intern(token.text.get(1..).unwrap_or_default()));
        }
        let kind = match node.kind {
            ArgKind::Field(mut names) => {
                names.append(&mut fields);
                ArgKind::Field(names)
            }
            ArgKind::Variable(name, mut names) => {
                names.append(&mut fields);
                ArgKind::Variable(name, names)
            }
            ArgKind::Bool(_) | ArgKind::Text(..) | ArgKind::Number(_) | ArgKind::Nil | ArgKind::Dot => {
                return self.error(format!("unexpected . after term {}", quoted(&node.to_string())));
            }
            _ => ArgKind::Chain(Box::new(node), fields),
        };
        Ok(Some(Arg { pos, kind }))
    }

    fn term(&mut self) -> Result<Option<Arg>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            Kind::Identifier => ArgKind::Function(self.function(&token.text)?),
            Kind::Dot => ArgKind::Dot,
            Kind::Nil => ArgKind::Nil,
            Kind::Variable => {
                if !self.frame.variables.iter().any(|name| **name == *token.text) {
                    return self.error(format!("undefined variable {}", quoted(&token.text)));
                }
                ArgKind::Variable(self.name(&token.text), Vec::new())
            }
            Kind::Field => ArgKind::Field(vec![self.intern(token.text.get(1..).unwrap_or_default())]),
            Kind::Bool => ArgKind::Bool(token.text == "true"),
            Kind::Number | Kind::Complex | Kind::CharConstant => {
                let literal = match token.kind {
                    Kind::CharConstant => number::character(&token.text),
                    Kind::Complex => Ok(number::complex(&token.text)),
                    _ => number::number(&token.text),
                };
                match literal {
                    Ok(literal) => ArgKind::Number(Box::new(literal)),
                    Err(message) => return self.error(message),
                }
            }
            Kind::LeftParen => {
                self.deeper("max expression depth exceeded")?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                self.nesting -= 1;
                // A parenthesised pipeline stands where its first operand does.
                return Ok(Some(Arg {
                    pos: pipe.pos,
                    kind: ArgKind::Pipe(Box::new(pipe)),
                }));
            }
            Kind::String | Kind::RawString => {
                let Some(bytes) = unquote(&token.text) else {
                    return self.error("invalid syntax");
                };
                let text = match String::from_utf8(bytes) {
                    Ok(text) => Text::Utf8(text.into()),
                    Err(error) => Text::Bytes(error.into_bytes().into()),
                };
                ArgKind::Text(text, token.text.as_ref().into())
            }
            _ => {
                self.back(token);
                return Ok(None);
            }
        };
        Ok(Some(Arg {
            pos: token.pos as Pos,
            kind,
        }))
    }

    fn function(&mut self, name: &str) -> Result<FunctionRef> {
        let target = match (self.functions.id(name), Builtin::named(name)) {
            (Some(id), _) => Target::Registered(id),
            (None, Some(builtin)) => Target::Builtin(builtin),
            (None, None) => return self.error(format!("function {} not defined", quoted(name))),
        };
        Ok(FunctionRef {
            name: self.intern(name),
            target,
        })
    }
}
